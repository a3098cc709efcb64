"""Restoring a run: its settings, its plan and its nets, from files that nobody has checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import InputError
from core.events import Accuracy, Epoch, Stream
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from core.experiments.run_record import TRAIN
from core.experiments.runs import Run
from core.formats.weights_files import load_dense
from core.jobs import measurement
from core.jobs.dense_cache import cached_net
from core.jobs.dense_net import measured_net
from core.jobs.workbench import Net, Workbench
from core.nets.footprint import DeadUnits, Sizes
from core.pruning.plans import Plan
from core.settings.settings import Settings


@dataclass(frozen=True, eq=False)
class RestoredRun:
    """A finished run, brought back.

    Attributes:
        settings: that it was made with.
        base: the net that was fine-tuned; the base of a dense training is its own net.
        plan: None if nothing was pruned.
        net: that the run produced.
        pruned: the plan in one shot.
        dead: the dead units of `net`; None if they are not known, or nothing was pruned.
        sizes: the bytes of `net`, if the run records them.
        exports: the files that `net` was written to.
    """

    settings: Settings
    base: Net
    plan: Plan | None
    net: Net
    pruned: Accuracy | None
    epochs: tuple[Epoch, ...]
    dead: DeadUnits | None = None
    sizes: Sizes | None = None
    exports: tuple[Export, ...] = ()


def restore(
    workbench: Workbench, dense: Net, experiment: Experiment, run: Run
) -> Stream[RestoredRun]:
    """Restore a finished run.

    Args:
        workbench: the workbench of the same model and data.
        dense: the open dense net, which may be the run's base.
        experiment: the run's experiment.
        run: a finished run.

    Raises:
        InputError: the run is of a different model or data, its files are damaged, or its base is
            neither `dense` nor a run of the experiment.
    """
    settings, record = settings_of(run, workbench.settings), run.record
    dense_weights = load_dense(run.weights_path, workbench.models.uninitialized())
    weights, early = dense_weights.weights, dense_weights.early
    if record.kind == TRAIN:
        accuracy = run.known(record.accuracy.dense, "accuracy.dense")
        net = workbench.net_of(weights, accuracy, early=early, run=run.id)
        return RestoredRun(settings, net, None, net, None, record.epoch_events)
    base = yield from base_of(workbench, dense, experiment, run)
    net = workbench.net_of(
        weights,
        run.known(record.accuracy.finetuned, "accuracy.finetuned"),
        early=base.early,
        run=run.id,
        dense=base.dense or base.accuracy,
    )
    plan = plan_of(run, workbench.layer_names)
    pruned = run.known(record.accuracy.pruned, "accuracy.pruned")
    dead = yield from measurement.dead_units(workbench, weights)
    epochs, sizes = record.epoch_events, record.sizes
    return RestoredRun(settings, base, plan, net, pruned, epochs, dead, sizes, run.exports)


def base_of(workbench: Workbench, dense: Net, experiment: Experiment, run: Run) -> Stream[Net]:
    """The net that a run started from; raises InputError if it cannot be found."""
    base = run.known(run.record.base, "base")
    if base.weights == dense.digest:
        return dense
    if base.run is not None:
        made = yield from restore(workbench, dense, experiment, experiment.find(base.run))
        if made.net.digest == base.weights:
            return made.net
    if base.weights is not None and (kept := cached_net(workbench, base.weights)) is not None:
        return (yield from measured_net(workbench, kept))
    raise InputError(
        f"the net that run {run.id} started from is missing: open it with --weights FILE, then "
        "restore this run"
    )


def settings_of(run: Run, here: Settings) -> Settings:
    """The settings of a run; what belongs to the machine is as it is here.

    Raises:
        InputError: the record of the run is damaged, or it has another model, data set or
            protocol than `here`, or images of another size.
    """
    record = run.checked()
    for name in ("model", "dataset", "protocol"):
        if (recorded := getattr(record, name)) != getattr(here, name):
            raise InputError(
                f"run {run.id} has the {name} '{recorded}', not '{getattr(here, name)}': "
                f"open it with --{name} {recorded}"
            )
    inputs = run.known(record.inputs, "inputs")
    if inputs != here.inputs:
        how = f"with {inputs.flags}" if inputs.flags else f"without {here.inputs.flags}"
        raise InputError(f"run {run.id} used different image settings: open it {how}")
    return replace(
        here,
        recipe=run.known(record.recipe, "recipe"),
        seed=run.known(record.seed, "seed"),
        precision=run.known(record.precision, "precision"),
        choices=run.known(record.choices, "choices"),
    )


def plan_of(run: Run, layers: tuple[str, ...]) -> Plan:
    """The plan of a run; raises InputError if it is not one for these layers."""
    rows = {row.name: row.sparsity for row in run.record.layers if row.sparsity is not None}
    if set(rows) != set(layers):
        raise InputError(f"the plan of run {run.id} does not match the layers {', '.join(layers)}")
    return {layer: rows[layer] for layer in layers}
