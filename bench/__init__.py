"""Benchmarks: latencies and costs compared with a baseline measured in the same run.

``make bench`` runs all, ``make bench NAME=webhook`` one. A benchmark compares and never fails a test;
exact counts of queries and requests are tests, in ``addons/*/tests``.
"""
