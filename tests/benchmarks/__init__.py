"""How fast the program is, against the plain way of doing the same work.

    python -m tests.benchmarks [NAME ...] [--json FILE] [--against FILE]

A benchmark is a function that gives `Figure`s. Both ways run in one process, in turns, with the
same threads, and what counts is the median of their ratios: seconds differ from hour to hour.
"""
