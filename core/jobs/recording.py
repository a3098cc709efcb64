"""A training recorded while it goes on: what it says is passed on, what it needs is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

from core.errors import InputError
from core.events import Epoch, Notice, StopFlag, Stream, never
from core.experiments.experiment import Experiment
from core.experiments.run_writer import Recording
from core.experiments.runs import DONE, STOPPED, WEIGHTS, Run
from core.formats.weights_files import save_early
from core.jobs.report import (
    epoch_rows,
    recipe_facts,
    run_facts,
    run_report,
    train_facts,
    train_report,
)
from core.jobs.restore import base_of, plan_of, settings_of
from core.jobs.workbench import Net, Workbench
from core.nets.weights import DenseWeights, Weights
from core.training.checkpoints import Checkpoint
from core.training.dense import Trained
from core.training.finetuning import FineTuned

T = TypeVar("T")
R = TypeVar("R", FineTuned, Trained)


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
    facts = run_facts(bench, base, plan, bench.finetuning, precision)
    recording = yield from _begun(experiment, {**facts, **(remarks or {})})
    stream = bench.finetune(base, plan, stop, checkpoints=recording is not None)
    if recording is None:
        return (yield from stream)
    return (yield from _as_a_run(stream, recording, partial(run_report, bench, base, plan)))


def train(bench: Workbench, experiment: Experiment, stop: StopFlag = never) -> Stream[Trained]:
    """Train a dense net as `Workbench.train` does, recorded as a run of `experiment`."""
    precision = yield from bench.resolved_precision(stop)
    recording = yield from _begun(experiment, train_facts(bench, precision))
    stream = bench.train(stop, checkpoints=recording is not None)
    if recording is None:
        return (yield from stream)
    return (yield from _trained_as_a_run(stream, recording, bench))


def resume(
    bench: Workbench, dense: Net | None, run: Run, experiment: Experiment, stop: StopFlag = never
) -> Stream[FineTuned | Trained]:
    """Go on with a training that was interrupted, to what it would have come to.

    `dense` is the dense net that is open, which a fine-tuning may have started from; a dense
    training needs none.

    Raises:
        InputError: the run cannot be gone on with: it is not interrupted, has no checkpoint, was
            made by another recipe of the same name, or `recall.settings_of` raises it.
    """
    if run.finished:
        raise InputError(f"run {run.id} is {run.status}: there is nothing to go on with")
    bench = bench.by(settings_of(run, bench.settings))
    if run.facts.get("kind") == "train":
        yield from bench.splits(stop)
        _check_recipe(run, "training", asdict(bench.training))
        state, before = _saved(run)
        training = bench.train(stop, checkpoints=True, resume=state)
        return (yield from _trained_as_a_run(training, experiment.resume(run), bench, before))
    if dense is None:
        raise InputError(f"run {run.id} goes on from a net: open the dense one first")
    plan = plan_of(run, bench.layer_names)
    base = yield from base_of(bench, dense, experiment, run)
    _check_recipe(run, "finetuning", recipe_facts(bench.finetuning))
    state, before = _saved(run)
    tuning = bench.finetune(base, plan, stop, checkpoints=True, resume=state)
    report = partial(run_report, bench, base, plan)
    return (yield from _as_a_run(tuning, experiment.resume(run), report, before))


def _check_recipe(run: Run, kind: str, recipe: Mapping[str, Any]) -> None:
    if run.facts.get(kind) != recipe:
        raise InputError(f"run {run.id} was made by another version of its recipe: start again")


def _saved(run: Run) -> tuple[Mapping[str, Any], tuple[Epoch, ...]]:
    """The state to go on from, and the epochs that are over."""
    saved = run.checkpoint()
    if saved is None:
        raise InputError(f"run {run.id} ended before its first epoch did: delete it")
    try:
        state = Checkpoint(saved.tensors, saved.facts["state"]).state()
        return state, tuple(Epoch(**row) for row in state["epochs"])
    except (KeyError, TypeError) as error:
        fault = f"the checkpoint of run {run.id} lacks what it goes on from ({error})"
        raise InputError(f"{fault}: delete the run and start again") from error


def _begun(experiment: Experiment, facts: Mapping[str, Any]) -> Stream[Recording | None]:
    """A run in the making; None, with a warning, where there is no place for it."""
    try:
        return experiment.begin(facts)
    except InputError as error:
        yield Notice(f"this run is not recorded: {error}", warning=True)
        return None


def _as_a_run(
    stream: Stream[R],
    recording: Recording,
    report: Callable[[R], Mapping[str, Any]],
    before: tuple[Epoch, ...] = (),
) -> Stream[R]:
    """Pass on what a training says, record it, and name the run in its result."""

    def finished(result: R) -> tuple[Weights, Mapping[str, Any]]:
        status = STOPPED if result.stopped else DONE
        return result.weights, {**report(result), "status": status}

    result, run = yield from recorded(stream, recording, before, finished)
    return replace(result, run=None if run is None else run.id)


def _trained_as_a_run(
    stream: Stream[Trained], recording: Recording, bench: Workbench, before: tuple[Epoch, ...] = ()
) -> Stream[Trained]:
    """The same for a dense net, whose early weights are kept beside it."""
    result = yield from _as_a_run(stream, recording, partial(train_report, bench), before)
    if result.run is not None:
        try:
            save_early(recording.folder / WEIGHTS, DenseWeights(result.weights, result.early), {})
        except InputError as error:
            yield Notice(f"the early weights are not recorded: {error}", warning=True)
    return result


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
