"""A training recorded while it goes on: what it says is passed on, what it needs is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from core.checkpoints import Checkpoint
from core.choices import NO_CHOICES, Choices
from core.errors import InputError
from core.events import Epoch, Notice, StopFlag, Stream, never
from core.experiment import Experiment
from core.finetuning import FineTuned
from core.recall import base_of, plan_of, settings_of
from core.recording import Recording
from core.report import epoch_rows, recipe_facts, run_facts, run_report, train_facts, train_report
from core.runs import DONE, STOPPED, Run
from core.training import Trained
from core.weights import DenseWeights, Weights, save_early
from core.workbench import Net, Workbench

T = TypeVar("T")


def finetune(
    bench: Workbench,
    base: Net,
    plan: Mapping[str, float],
    experiment: Experiment,
    stop: StopFlag = never,
    remarks: Mapping[str, Any] | None = None,
) -> Stream[FineTuned]:
    """Fine-tune as `Workbench.finetune` does, recorded as a run of `experiment`.

    `remarks` are recorded with it, such as the search that it is a part of.
    """
    precision = yield from bench.resolved_precision(stop)
    facts = run_facts(bench, base, plan, bench.settings.finetuning, precision)
    recording = yield from _begun(experiment, {**facts, **(remarks or {})})
    stream = bench.finetune(base, plan, stop, checkpoints=recording is not None)
    if recording is None:
        return (yield from stream)

    finished = _finished(bench, base, plan)
    result, run = yield from recorded(stream, recording, (), finished)
    return replace(result, run=None if run is None else run.id)


def train(
    bench: Workbench,
    experiment: Experiment,
    stop: StopFlag = never,
    choices: Choices = NO_CHOICES,
) -> Stream[Trained]:
    """Train a dense net as `Workbench.train` does, recorded as a run of `experiment`."""
    precision = yield from bench.resolved_precision(stop)
    recording = yield from _begun(experiment, train_facts(bench, choices, precision))
    stream = bench.train(stop, choices, checkpoints=recording is not None)
    if recording is None:
        return (yield from stream)

    def finished(result: Trained) -> tuple[Weights, Mapping[str, Any]]:
        report = train_report(bench, choices, result)
        return result.weights, {**report, "status": STOPPED if result.stopped else DONE}

    result, run = yield from recorded(stream, recording, (), finished)
    if run is not None:
        yield from _keep_early(run, result)
    return replace(result, run=None if run is None else run.id)


def resume(
    bench: Workbench, dense: Net, run: Run, experiment: Experiment, stop: StopFlag = never
) -> Stream[FineTuned]:
    """Go on with a fine-tuning that was interrupted, to what it would have come to.

    `dense` is the dense net that is open, which the run may have started from.

    Raises:
        InputError: the run cannot be gone on with: it is not interrupted, has no checkpoint, was
            made by another recipe of the same name, or `recall.settings_of` raises it.
    """
    if run.finished:
        raise InputError(f"run {run.id} is {run.status}: there is nothing to go on with")
    if run.facts.get("kind") != "finetune":
        raise InputError(f"run {run.id} is no fine-tuning: delete it and train again")
    bench = bench.by(settings_of(run, bench.settings))
    plan = plan_of(run, bench.layer_names)
    base = yield from base_of(bench, dense, experiment, run)
    saved = run.checkpoint()
    if saved is None:
        raise InputError(f"run {run.id} ended before its first epoch did: delete it")
    if run.facts.get("finetuning") != recipe_facts(bench.settings.finetuning):
        raise InputError(f"run {run.id} was made by another version of its recipe: start again")
    state = Checkpoint(saved.tensors, saved.facts["state"]).state()
    before = tuple(Epoch(**row) for row in state["epochs"])
    recording = experiment.resume(run)
    stream = bench.finetune(base, plan, stop, checkpoints=True, resume=state)
    finished = _finished(bench, base, plan)
    result, kept = yield from recorded(stream, recording, before, finished)
    return replace(result, run=None if kept is None else kept.id)


def _finished(
    bench: Workbench, base: Net, plan: Mapping[str, float]
) -> Callable[[FineTuned], tuple[Weights, Mapping[str, Any]]]:
    def finished(result: FineTuned) -> tuple[Weights, Mapping[str, Any]]:
        report = run_report(bench, base, plan, result)
        return result.weights, {**report, "status": STOPPED if result.stopped else DONE}

    return finished


def _begun(experiment: Experiment, facts: Mapping[str, Any]) -> Stream[Recording | None]:
    """A run in the making; None, with a warning, where there is no place for it."""
    try:
        return experiment.begin(facts)
    except InputError as error:
        yield Notice(f"this run is not recorded: {error}", warning=True)
        return None


def _keep_early(run: Run, result: Trained) -> Stream[None]:
    dense = DenseWeights(result.weights, result.early)
    try:
        save_early(run.weights_path, dense, {})
    except InputError as error:
        yield Notice(f"the early weights are not recorded: {error}", warning=True)


def recorded(
    stream: Stream[T],
    recording: Recording,
    before: tuple[Epoch, ...],
    finished: Callable[[T], tuple[Weights, Mapping[str, Any]]],
) -> Stream[tuple[T, Run | None]]:
    """Pass on what `stream` says and keep its checkpoints and its result.

    A checkpoint that cannot be written costs a warning, not the training. Where the stream ends
    with an error or is closed, the last checkpoint stays to go on from.

    Args:
        stream: a training that tells checkpoints.
        recording: the run that it is recorded as.
        before: epochs of it that have been recorded already.
        finished: the weights that came of it, and the report.

    Returns:
        The stream's result, and its run; None where that could not be written.
    """
    epochs = list(before)
    with recording:
        while True:
            try:
                event = next(stream)
            except StopIteration as end:
                result: T = end.value
                break
            if isinstance(event, Epoch):
                epochs.append(event)
            if not isinstance(event, Checkpoint):
                yield event
                continue
            try:
                facts = {"epochs": epoch_rows(epochs), "state": event.facts}
                recording.checkpoint(event.tensors, facts)
            except InputError as error:
                yield Notice(f"this epoch is not recorded: {error}", warning=True)
        try:
            return result, recording.finish(*finished(result))
        except InputError as error:
            yield Notice(f"the run is not recorded: {error}", warning=True)
            return result, None
