"""``make bench``: the benchmarks, each compared with its baseline; see ``bench/``."""

from __future__ import annotations

from bench.run import main as run


def main(_arguments: list[str]) -> int:
    """Run the benchmarks named in ``NAME``, or all.

    :return: 0 if they could be measured
    """
    return run()
