"""The workbench of the jobs' tests; a net of one's own, and its trials in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import torch

from core.executors.in_process import InProcess
from core.jobs.workbench import Workbench
from tests.core.jobs.conftest import workbench
from tests.core.sweep.own_net import Place, nets

__all__ = ["workbench"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield Place.made(folder)
    for name in ("own_width", "own"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def bench(place: Place) -> Iterator[Workbench]:
    threads = torch.get_num_threads()
    yield Workbench(place.settings)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def here(place: Place, bench: Workbench) -> dict[int | None, str | None]:
    """The nets of trials in this process, by seed."""
    return nets(place.sweep(bench, InProcess(bench))[0])
