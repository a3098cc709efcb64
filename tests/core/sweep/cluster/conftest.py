"""One cluster for all tests of this folder, which are collected where Ray is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.core.sweep.cluster.local_cluster import LocalCluster, local_cluster

collect_ignore_glob = [] if find_spec("ray") else ["test_*.py"]


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster() as made:
        yield made
