"""Runs trials in this process, wherever it is: one after the other on the same images."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import InputError
from core.events import Stream, never, portions, within
from core.executors.tasks import Begun, PackedNet, Task, settings_from
from core.experiments.experiment import environment
from core.experiments.run_record import RunRecord
from core.jobs.net import Net
from core.jobs.recorded_jobs import (
    RECONSTRUCTION_COST,
    RecordedTrial,
    apply_plan,
    note_floors,
    with_sizes,
)
from core.jobs.report import finetuned_record, finetuning_record, pruned_record, pruning_record
from core.jobs.workbench import Workbench
from core.nets.user_code.names import split_name
from core.settings.settings import Settings


class TaskRunner:
    """Runs one task at a time; the images and the net to start from stay for the next one."""

    def __init__(self) -> None:
        self._workbench: Workbench | None = None
        self._base: tuple[str, Net] | None = None
        self._code: tuple[Mapping[str, str], TemporaryDirectory[str]] | None = None

    def run(self, task: Task, base: PackedNet | None) -> Stream[RecordedTrial]:
        """Run a task; `base` is the net that its digest names, None if it is that of the last one.

        Raises InputError if the settings cannot be used here, or as `run_task`.
        """
        settings = settings_from(task.settings) if not task.sources else self._with_code(task)
        workbench = self._workbench_for(settings)
        yield from workbench.splits()
        net = self._net(workbench, task.base, base)
        return (yield from run_task(workbench, net, task))

    def _workbench_for(self, settings: Settings) -> Workbench:
        if self._workbench is None:
            self._workbench = Workbench(settings)
        self._workbench = self._workbench.with_settings(settings)
        return self._workbench

    def _net(self, workbench: Workbench, digest: str, packed: PackedNet | None) -> Net:
        if self._base is None or self._base[0] != digest:
            assert packed is not None
            weights, early = packed.unpacked()
            net = workbench.net_of(weights, packed.accuracy, early=early)
            if net.digest != digest:
                raise InputError(f"the weights of net {digest} arrived damaged: {net.digest}")
            self._base = digest, replace(net, trained=packed.trained)
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


def run_task(workbench: Workbench, base: Net, task: Task) -> Stream[RecordedTrial]:
    """Prune and fine-tune as the command `run` does, without training if there are no epochs.

    The record is made here, and stored by the driver.

    Raises:
        InputError: the net cannot be trained, or see `Workbench.finetune`.
        WorkError: see `core.training.finetuning.finetune`.
    """
    trains = workbench.settings.changes.epochs != 0
    work = (_finetuned if trains else _pruned)(workbench, base, task)
    with closing(work):
        while True:
            try:
                event = next(work)
            except StopIteration as end:
                result: RecordedTrial = end.value
                return replace(result, record=_of_task(result.record, task))
            if isinstance(event, Begun):
                record = replace(_of_task(event.record, task), environment=environment())
                event = Begun(record)
            yield event


def _pruned(workbench: Workbench, base: Net, task: Task) -> Stream[RecordedTrial]:
    _, precision = yield from workbench.prepared()
    yield from note_floors(base, task.plan)
    yield Begun(pruning_record(workbench, base, task.plan, precision))
    result = yield from with_sizes(workbench, apply_plan(workbench, base, task.plan, never))
    return RecordedTrial(result.weights, pruned_record(workbench, base, task.plan, result))


def _finetuned(workbench: Workbench, base: Net, task: Task) -> Stream[RecordedTrial]:
    _, precision = yield from workbench.prepared_to_train()
    yield from note_floors(base, task.plan)
    recipe, plan = workbench.finetuning, task.plan
    state = None if task.resume is None else task.resume.unpacked().state()
    pruned, made = None, None
    needed = recipe.reconstruct and state is None
    making, training = portions(RECONSTRUCTION_COST * needed, 1 - RECONSTRUCTION_COST)
    if needed:
        result = yield from within(making, apply_plan(workbench, base, plan, never))
        pruned, made = result.accuracy, result.reconstructed
    yield Begun(finetuning_record(workbench, base, plan, recipe, precision, made))
    stream = workbench.finetune(base, plan, never, True, state, pruned, made)
    tuned = yield from within(training, stream)
    return RecordedTrial(tuned.weights, finetuned_record(workbench, base, plan, tuned))


def _of_task(record: RunRecord, task: Task) -> RunRecord:
    """A record with the method of the task, and with the path of the code that the user named."""
    model = task.settings.get("model", record.model)
    return replace(record, model=model, allocate=task.method or None)
