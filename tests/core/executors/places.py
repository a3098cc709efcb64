"""An executor with several places in this process, and a workbench for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import pytest
import torch

from core.executors.in_process import InProcess
from core.executors.tasks import Message, Task
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from tests.core.sweep.own_net import Place


class Places:
    """An executor with several places, all in this process."""

    def __init__(self, workbench: Workbench, places: int) -> None:
        self._each = [InProcess(workbench) for _ in range(places)]
        self.most = 0

    @property
    def places(self) -> int:
        return len(self._each)

    @property
    def room(self) -> int:
        return sum(each.room for each in self._each)

    def submit(self, task: Task, base: Net) -> None:
        next(each for each in self._each if each.room).submit(task, base)
        self.most = max(self.most, self.places - self.room)

    def stop(self, number: int) -> None:
        for each in self._each:
            each.stop(number)

    def poll(self, seconds: float) -> Sequence[tuple[int, Message]]:
        return [said for each in self._each for said in each.poll(seconds)]

    def close(self) -> None:
        for each in self._each:
            each.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder, threads = tmp_path_factory.mktemp("place"), torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield Workbench(Place.made(folder).settings)
    torch.set_num_threads(threads)
    for name in ("own_width", "own"):
        sys.modules.pop(name, None)
