"""The benchmarks: each module's ``run(world)`` gives its rows of the table."""
