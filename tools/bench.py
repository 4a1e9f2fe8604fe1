"""``make bench``: the benchmarks, each beside its floor; see ``bench/``."""

from __future__ import annotations

from bench.run import main as run


def main(_arguments: list[str]) -> int:
    """Run the benchmarks that ``NAME`` names, or all.

    :return: 0 if they could be measured
    """
    return run()
