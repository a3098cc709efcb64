"""One cluster for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.sweep.cluster.local_cluster import LocalCluster, local_cluster


@pytest.fixture(autouse=True)
def left() -> Iterator[None]:
    """Leave the cluster, also after a failure: its trials would keep the next test waiting."""
    yield
    import ray

    ray.shutdown()


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    with local_cluster() as made:
        yield made
