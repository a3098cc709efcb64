"""Restore a run: its settings, plan and nets, from untrusted files."""

from dataclasses import dataclass, replace

from core.errors import InputError
from core.events import Accuracy, Epoch, Stream
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from core.experiments.run_record import PRUNE, TRAIN, ReconstructionRecord, RunRecord
from core.experiments.runs import Run
from core.jobs import measurement
from core.jobs.dense_net import cached_net, measured_net
from core.jobs.net import Net
from core.jobs.recorded_jobs import RecordedTrial
from core.jobs.workbench import Workbench
from core.nets.footprint import DeadUnits, Sizes
from core.pruning.masks import Masks
from core.pruning.plans import Plan
from core.reconstruction.measured_net import ReconstructedNet
from core.reconstruction.tasks import LayerReconstructed
from core.settings.settings import OF_A_SESSION, SETTINGS, Settings, is_same_setting
from core.training.finetuning import FineTuningResult


@dataclass(frozen=True, eq=False)
class RestoredRun:
    """A restored run.

    Attributes:
        base: the net that was pruned or fine-tuned; for dense training the net itself.
        plan: None if nothing was pruned.
        net: the net the run produced.
        stage: of that net: `dense`, `pruned`, `reconstructed` or `finetuned`.
        pruned: accuracy of the plan in one shot.
        reconstructed: accuracy of the reconstructed net, if there was one.
        reconstruction: that net itself, if the run produced no other.
        dead: the dead units of `net`; None if unknown, or nothing was pruned.
    """

    settings: Settings
    base: Net
    plan: Plan | None
    net: Net
    stage: str
    pruned: Accuracy | None
    epochs: tuple[Epoch, ...]
    reconstructed: Accuracy | None = None
    reconstruction: ReconstructedNet | None = None
    dead: DeadUnits | None = None
    sizes: Sizes | None = None
    exports: tuple[Export, ...] = ()


def restore(
    workbench: Workbench, dense: Net, experiment: Experiment, run: Run
) -> Stream[RestoredRun]:
    """Restore a finished run of `experiment`; `dense` is the open dense net.

    Raises:
        InputError: the run is of a different model or data, its files are damaged, or its base is
            neither `dense`, nor a run of the experiment, nor a cached dense net.
    """
    settings, record = settings_of(run, workbench.settings), run.record
    measured = record.measured
    file = run.dense_weights(workbench.models.uninitialized())
    if record.kind == TRAIN:
        accuracy = run.required(measured.get("dense"), "accuracy.dense")
        net = workbench.net_of(file.weights, accuracy, early=file.early, run=run.id)
        return RestoredRun(settings, net, None, net, "dense", None, record.epoch_events)
    base = yield from base_of(workbench, dense, experiment, run)
    stage = "finetuned" if record.kind != PRUNE else _untrained_stage(record)
    accuracy = run.required(measured.get(stage), f"accuracy.{stage}")
    net = workbench.net_of(file.weights, accuracy, run=run.id).pruned_from(base)
    net = replace(net, reconstructed=stage == "reconstructed")
    dead = yield from measurement.dead_units(workbench, file.weights)
    made = record.reconstruction if stage == "reconstructed" else None
    return RestoredRun(
        settings,
        base,
        plan_of(run, workbench.layer_names),
        net,
        stage,
        run.required(measured.get("pruned"), "accuracy.pruned"),
        record.epoch_events,
        measured.get("reconstructed"),
        None if made is None else _reconstructed(workbench, net, dead, made),
        dead,
        record.sizes,
        run.exports,
    )


def _untrained_stage(record: RunRecord) -> str:
    return "pruned" if record.reconstruction is None else "reconstructed"


def _reconstructed(
    workbench: Workbench, net: Net, dead: DeadUnits | None, record: ReconstructionRecord
) -> ReconstructedNet:
    """A recorded reconstruction; its masks are the zeros of the weights."""
    kept = {layer.name: int(net.weights[layer.key].count_nonzero()) for layer in workbench.layers}
    layers = tuple(
        LayerReconstructed(
            row.name,
            number,
            len(record.layers),
            kept.get(row.name, 0),
            row.magnitude,
            row.error,
            row.reason,
        )
        for number, row in enumerate(record.layers, 1)
    )
    return ReconstructedNet(
        net.weights,
        Masks.of(net.weights, workbench.layers, dict.fromkeys(workbench.layer_names, 0.0)),
        net.accuracy,
        layers,
        record.images or 0,
        record.seed or 0,
        bool(record.stopped),
        record.seconds or 0.0,
        dead,
    )


def finetuning_of(workbench: Workbench, run: Run) -> Stream[FineTuningResult]:
    """The result of a finished fine-tuning with the workbench's recipe, as it was returned.

    Raises InputError if a file of the run is damaged, or not of this model.
    """
    record, measured = run.checked(), run.record.measured
    for stage in ("pruned", "finetuned"):
        run.required(measured.get(stage), f"accuracy.{stage}")
    run.required(record.precision, "precision")
    weights = run.dense_weights(workbench.models.uninitialized()).weights
    return (yield from finetuning_from(workbench, RecordedTrial(weights, record, run.id)))


def finetuning_from(workbench: Workbench, trial: RecordedTrial) -> Stream[FineTuningResult]:
    """The result of a fine-tuning with the workbench's recipe, from its weights and its record."""
    weights, record = trial.weights, trial.record
    zeros = {key: weights[key] == 0 for layer in workbench.layers for key in layer.keys}
    dead = yield from measurement.dead_units(workbench, weights)
    return FineTuningResult(
        weights=weights,
        masks=Masks(zeros),
        pruned=record.measured["pruned"],
        accuracy=record.measured["finetuned"],
        epochs=record.epoch_events,
        best=record.best,
        revived=record.revived or 0,
        dead=dead,
        recipe=workbench.finetuning,
        precision=record.precision or "",
        stopped=bool(record.stopped),
        diverged=False,
        run=trial.run,
        sizes=record.sizes,
        error=record.error or "",
    )


def base_of(workbench: Workbench, dense: Net, experiment: Experiment, run: Run) -> Stream[Net]:
    """The net a run started from; raises InputError if it is missing."""
    base = run.required(run.record.base, "base")
    if base.weights == dense.digest:
        return dense
    if base.run is not None:
        parent = yield from restore(workbench, dense, experiment, experiment.find(base.run))
        if parent.net.digest == base.weights:
            return parent.net
    if base.weights is not None and (cached := cached_net(workbench, base.weights)) is not None:
        return (yield from measured_net(workbench, cached))
    raise InputError(
        f"the net that run {run.id} started from is missing: open that net with "
        "--weights FILE, then restore the run"
    )


def settings_of(run: Run, current: Settings) -> Settings:
    """The settings of a run, with the machine-specific ones of `current`.

    Raises:
        InputError: the record of the run is damaged, or its model, data set, protocol or image
            settings differ from `current`.
    """
    record = run.checked()
    for name in OF_A_SESSION:
        recorded, own, known = getattr(record, name), getattr(current, name), SETTINGS[name]
        if not is_same_setting(name, recorded, own):
            raise InputError(
                f"run {run.id} has the {known.label} '{recorded}', not '{own}': "
                f"open it with {known.given(recorded)}"
            )
    inputs = run.required(record.inputs, "inputs")
    if inputs != current.inputs:
        how = f"with {inputs.flags}" if inputs.flags else f"without {current.inputs.flags}"
        raise InputError(f"run {run.id} used different image settings: open it {how}")
    return replace(
        current,
        recipe=run.required(record.recipe, "recipe"),
        seed=run.required(record.seed, "seed"),
        precision=run.required(record.precision, "precision"),
        recalibrate=record.recalibrate or current.recalibrate,
        changes=run.required(record.choices, "choices"),
    )


def plan_of(run: Run, layers: tuple[str, ...]) -> Plan:
    """The plan of a run; raises InputError if it is not for these layers."""
    rows = {row.name: row.sparsity for row in run.record.layers if row.sparsity is not None}
    if set(rows) != set(layers):
        raise InputError(f"the plan of run {run.id} does not match the layers {', '.join(layers)}")
    return {layer: rows[layer] for layer in layers}
