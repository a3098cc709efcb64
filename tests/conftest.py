"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from itertools import chain, groupby, islice
from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from core.data.loading import fetch
from core.data.sources.store import default_data_dir
from core.events import drain
from tests.support.collecting import make_share

# Each pytest worker gets one processor, and so do the programs it starts. Torch reads this once,
# when it is imported, which is after this file.
os.environ["OMP_NUM_THREADS"] = "1"

# A shell may forbid Python to keep compiled modules. Each worker and each program that the tests
# start would then compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # a busy machine is slow


MOST_WORKERS = 4
"""No more than memory, and the fixtures that each worker makes, are worth."""


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors, since tests of terminals often wait."""
    return min(MOST_WORKERS, (os.cpu_count() or 1) + 1)


FIRST = frozenset({"cluster", "terminal"})
"""Folders of tests that take long, or often wait."""


def _shared_path(item: pytest.Item) -> Path:
    return item.path.parent if item.path.parent.name == "cluster" else item.path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests on real MNIST slow, and give every worker its share of the slow tests first.

    `--dist worksteal` starts with equal parts of the list. A slow test at its end would leave one
    worker running alone. Tests of terminals and screens wait, those of the core compute: each
    worker begins at another place of the same order, so that some wait while others compute.
    Tests of a module stay together, and so do those that share a cluster.
    """
    for item in items:
        if "mnist_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    slow = {item for item in items if item.get_closest_marker("slow")}
    modules = [list(tests) for _, tests in groupby(filter(slow.__contains__, items), _shared_path)]
    modules.sort(key=lambda tests: FIRST.isdisjoint(tests[0].path.parts))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    parts = []
    for worker in range(workers):
        share = modules[worker::workers]
        first = len(share) * worker // workers
        parts.append([*chain(*share[first:], *share[:first])])
    quick = (item for item in items if item not in slow)
    for part in parts:
        part += islice(quick, max(0, ceil(len(items) / workers) - len(part)))
    items[:] = chain(*parts, quick)


def pytest_collection(session: pytest.Session) -> None:
    """Let the workers of the whole suite share what a fresh checkout costs before the first test.

    Collecting makes objects that stay: looking for garbage among them is in vain.
    """
    gc.disable()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1 and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        make_share(int(worker.removeprefix("gw")), workers)


def pytest_collection_finish() -> None:
    """Leave what is there, all modules and tests, out of every later garbage collection.

    With them, a collection takes a third of a second, and there are hundreds. Even without, a
    collection after every 700 new objects, as Python has it, is a tenth of the time of tests of the
    app.
    """
    gc.freeze()
    gc.set_threshold(10_000, 50)
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep runs, saved plans, error logs and settings out of the user's folders; show no tour.

    The cache is shared: downloaded data sets and compiled kernels stay in it between runs.
    """
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        patch.setenv("FEATHERWEIGHT_TOUR", "false")
        patch.setattr("core.experiments.experiment.default_root", lambda: folder / "experiments")
        yield


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """The default data folder with real MNIST in it, downloaded if missing."""
    drain(fetch("mnist"))
    return default_data_dir()


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few drawn digits in MNIST's files; see `tests.digits`."""
    from tests.digits import write  # imports NumPy, which not every test needs

    return write(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def data_dir(digits_dir: Path) -> Iterator[Path]:
    """A data folder of drawn digits that stand in for `mnist` in the tests of a module."""
    from tests.digits import in_place_of_mnist

    with in_place_of_mnist(digits_dir):
        yield digits_dir
