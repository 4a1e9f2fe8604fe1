"""Samples of two ways to do the same, taken in turns, so that noise of the machine hits both."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Pairs:
    """Seconds of ours and of the floor; one of each makes a pair."""

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the pairs' ratios: what disturbs both of a pair cancels out."""
        return median([a / b for a, b in zip(self.ours, self.floor, strict=True)])

    @property
    def spread(self) -> str:
        """Middle half of the pairs' ratios, to judge the noise by."""
        ratios = [a / b for a, b in zip(self.ours, self.floor, strict=True)]
        return f"{quantile(ratios, 0.25):.2f}…{quantile(ratios, 0.75):.2f}"


def alternate(
    ours: Callable[[], float | None],
    floor: Callable[[], float | None],
    pairs: int,
    warm_up: int = 1,
) -> Pairs:
    """Measure both in turns; who begins changes from pair to pair.

    :param ours: does it our way; returns the seconds it took, or nothing to be timed from outside
    :param floor: does it the bare way
    :param pairs: how many pairs
    :param warm_up: pairs before that which do not count
    :return: the samples
    """
    found = Pairs()
    for number in range(-warm_up, pairs):
        steps = [(ours, found.ours), (floor, found.floor)]
        for work, samples in steps if number % 2 == 0 else reversed(steps):
            taken = timed(work)
            if number >= 0:
                samples.append(taken)
    return found


def timed(work: Callable[[], float | None]) -> float:
    """Do something and tell how long it took.

    :param work: may tell it itself by returning seconds
    :return: seconds
    """
    gc.collect()
    begun = time.monotonic()
    told = work()
    return time.monotonic() - begun if told is None else told


def median(samples: Sequence[float]) -> float:
    """:return: the middle of the samples"""
    return statistics.median(samples)


def quantile(samples: Sequence[float], share: float) -> float:
    """Find the sample below which a share of all lie.

    :param share: such as 0.95
    :return: the sample, never an invented value in between
    """
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def p95(samples: Sequence[float]) -> float:
    """:return: the sample that 95 % do not exceed"""
    return quantile(samples, 0.95)


def seconds(value: float) -> str:
    """Write a duration for people.

    :param value: seconds
    :return: such as ``12.3 ms`` or ``4.56 s``
    """
    if abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s"
