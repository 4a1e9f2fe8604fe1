"""Paired samples of two variants, alternated so that noise affects both."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Pairs:
    """Seconds with the addon and of the baseline, in pairs."""

    ours: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the pairs' ratios: a disturbance of both samples cancels out."""
        return median([a / b for a, b in zip(self.ours, self.baseline, strict=True)])

    @property
    def spread(self) -> str:
        """Interquartile range of the pairs' ratios, a measure of the noise."""
        ratios = [a / b for a, b in zip(self.ours, self.baseline, strict=True)]
        return f"{quantile(ratios, 0.25):.2f}…{quantile(ratios, 0.75):.2f}"


def alternate(
    ours: Callable[[], float | None],
    baseline: Callable[[], float | None],
    pairs: int,
    warm_up: int = 1,
) -> Pairs:
    """Measure both variants in turns; the first one alternates.

    :param ours: runs the operation with the addon; returns its seconds, or None to be timed here
    :param baseline: runs it without the addon
    :param pairs: number of pairs
    :param warm_up: pairs before these that are dropped
    :return: the samples
    """
    found = Pairs()
    for number in range(-warm_up, pairs):
        steps = [(ours, found.ours), (baseline, found.baseline)]
        for work, samples in steps if number % 2 == 0 else reversed(steps):
            taken = timed(work)
            if number >= 0:
                samples.append(taken)
    return found


def timed(work: Callable[[], float | None]) -> float:
    """Time an operation.

    :param work: the operation; may return its own seconds
    :return: seconds
    """
    gc.collect()
    begun = time.monotonic()
    measured = work()
    return time.monotonic() - begun if measured is None else measured


def median(samples: Sequence[float]) -> float:
    """Return the median of the samples."""
    return statistics.median(samples)


def quantile(samples: Sequence[float], share: float) -> float:
    """Return a quantile of the samples.

    :param share: such as 0.95
    :return: one of the samples, without interpolation
    """
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def p95(samples: Sequence[float]) -> float:
    """Return the 95th percentile of the samples."""
    return quantile(samples, 0.95)


def latency(samples: Sequence[float]) -> str:
    """Format the median and the 95th percentile of durations.

    :param samples: seconds
    :return: such as ``p50 12.3 ms, p95 45.6 ms``
    """
    return f"p50 {seconds(median(samples))}, p95 {seconds(p95(samples))}"


def seconds(value: float) -> str:
    """Format a duration.

    :param value: seconds
    :return: such as ``12.3 ms`` or ``4.56 s``
    """
    if abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s"
