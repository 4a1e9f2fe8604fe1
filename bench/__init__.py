"""Benchmarks: what users feel, beside a floor measured in the same run on the same machine.

``make bench`` runs all, ``make bench NAME=webhook`` one. A benchmark compares and never fails a test;
exact counts of queries and requests are tests, in ``addons/*/tests``.
"""
