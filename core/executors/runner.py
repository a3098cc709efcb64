"""Runs tasks in a worker's process: one after the other, on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import InputError
from core.events import Notice, StopFlag, Stream, never
from core.executors.packed import PackedNet
from core.executors.tasks import Task, settings_from
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.user_code.names import split_name
from core.settings.settings import Settings


class TaskRunner:
    """Runs one task at a time; the images and the net to start from stay for the next one."""

    def __init__(self) -> None:
        self._workbench: Workbench | None = None
        self._base: tuple[str, Net] | None = None
        self._code: tuple[Mapping[str, str], TemporaryDirectory[str]] | None = None

    def run(self, task: Task, base: PackedNet | None, stop: StopFlag = never) -> Stream[Any]:
        """Run a task; `base` is the net that its digest names, None if it is that of the last one.

        Raises InputError if the settings cannot be used here, or as the work does.
        """
        settings = settings_from(task.settings) if not task.sources else self._with_code(task)
        workbench = self._workbench_for(settings)
        for event in workbench.splits(stop):
            if not isinstance(event, Notice):  # the driver, too, has loaded them
                yield event
        net = self._net(workbench, task.base, base)
        return (yield from task.work.run(workbench, net, stop))

    def _workbench_for(self, settings: Settings) -> Workbench:
        if self._workbench is None:
            self._workbench = Workbench(settings)
        self._workbench = self._workbench.with_settings(settings)
        return self._workbench

    def _net(self, workbench: Workbench, digest: str, packed: PackedNet | None) -> Net:
        if self._base is None or self._base[0] != digest:
            assert packed is not None
            weights, early, dense = packed.unpacked()
            net = workbench.net_of(weights, packed.accuracy, early=early, run=packed.run)
            if net.digest != digest:
                raise InputError(f"the weights of net {digest} arrived damaged: {net.digest}")
            self._base = (
                digest,
                replace(net, trained=packed.trained, dense=packed.dense, dense_weights=dense),
            )
        return self._base[1]

    def _with_code(self, task: Task) -> Settings:
        """The settings of a task with the code of its net, which is written to a folder here."""
        if self._code is None or self._code[0] != task.sources:
            folder = TemporaryDirectory(prefix="featherweight-")  # until this process ends
            for name, text in task.sources.items():
                path = Path(folder.name, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            self._code = task.sources, folder
        _, attribute = split_name(str(task.settings["model"]))
        main = Path(self._code[1].name, next(iter(task.sources)))
        return settings_from({**task.settings, "model": f"{main}:{attribute}"})
