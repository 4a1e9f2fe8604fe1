"""The benchmarks: each module's ``run(environment)`` yields rows of the table."""
