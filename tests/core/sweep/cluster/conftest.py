"""Tests on a real Ray cluster, which are collected where the extra `cluster` is installed.

`pip install -e '.[dev,cluster]'`, then `python -m pytest -n0 tests/core/sweep/cluster`.
"""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("ray") else ["test_*.py"]
