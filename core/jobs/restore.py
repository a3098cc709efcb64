"""Back to a run: its settings, its plan and its nets, from what is on disk; nothing is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from core.errors import InputError
from core.events import Accuracy, Epoch, Stream
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from core.experiments.runs import Run
from core.formats.weights_files import load_dense
from core.jobs import measurement
from core.jobs.dense_cache import kept_net
from core.jobs.dense_net import measured_net
from core.jobs.workbench import Net, Workbench
from core.nets.footprint import DeadUnits, Sizes
from core.pruning.plans import Plan, check_sparsity
from core.settings.choices import Choices
from core.settings.settings import Settings


@dataclass(frozen=True, eq=False)
class Recalled:
    """What there was when a run had ended.

    Attributes:
        settings: by which it was made.
        base: that was fine-tuned; a run that trained is its own.
        plan: None where nothing was pruned.
        net: what came of it.
        pruned: the plan in one shot.
        dead: the dead units of `net`; None where they are not known, or nothing was pruned.
        sizes: what `net` takes, as the run records it; None where it does not.
        exports: the files that it was written to.
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


def recall(bench: Workbench, dense: Net, experiment: Experiment, run: Run) -> Stream[Recalled]:
    """Bring a finished run back.

    Args:
        bench: for the same model and data.
        dense: the dense net that is open, which the run's base may be.
        experiment: that the run is in.
        run: finished.

    Raises:
        InputError: the run is of another model or other data, its files are damaged, or the net
            that it started from is neither `dense` nor a run of the experiment.
    """
    settings = settings_of(run, bench.settings)
    dense_weights = load_dense(run.weights_path, bench.models.vehicle())
    weights, early = dense_weights.weights, dense_weights.early
    if run.facts.get("kind") == "train":
        accuracy = _accuracy(run, "dense")
        net = bench.net_of(weights, accuracy, early=early, run=run.id)
        return Recalled(settings, net, None, net, None, epochs_of(run))
    base = yield from base_of(bench, dense, experiment, run)
    net = bench.net_of(
        weights,
        _accuracy(run, "finetuned"),
        early=base.early,
        run=run.id,
        dense=base.dense or base.accuracy,
    )
    plan, pruned = plan_of(run, bench.layer_names), _accuracy(run, "pruned")
    dead = yield from measurement.dead(bench, weights)
    sizes = Sizes.of(run.facts.get("sizes"))
    return Recalled(settings, base, plan, net, pruned, epochs_of(run), dead, sizes, run.exports)


def base_of(bench: Workbench, dense: Net, experiment: Experiment, run: Run) -> Stream[Net]:
    """The net that a run was made from; raises InputError where it is not to be had."""
    base = _mapping(run, run.facts.get("base"))
    if base.get("weights") == dense.digest:
        return dense
    if isinstance(base.get("run"), str):
        made = yield from recall(bench, dense, experiment, experiment.find(base["run"]))
        if made.net.digest == base.get("weights"):
            return made.net
    if (kept := kept_net(bench, str(base.get("weights")))) is not None:
        return (yield from measured_net(bench, kept))
    raise InputError(
        f"run {run.id} started from a net that is not here: open it with --weights FILE, then "
        "come back to this run"
    )


def settings_of(run: Run, here: Settings) -> Settings:
    """The settings of a run: what belongs to the machine as it is here.

    Raises:
        InputError: the run is of another model, data set or protocol than `here` or of images
            of another size, or has settings that are not known.
    """
    facts = run.facts
    for name in ("model", "dataset", "protocol"):
        if facts.get(name) != getattr(here, name):
            raise InputError(
                f"run {run.id} has the {name} '{facts.get(name)}', not '{getattr(here, name)}': "
                f"open it with --{name} {facts.get(name)}"
            )
    if run.inputs != here.inputs:
        how = f"with {run.inputs.flags}" if run.inputs.flags else f"without {here.inputs.flags}"
        raise InputError(f"run {run.id} is of other images than these: open it {how}")
    chosen = {str(key): value for key, value in _mapping(run, facts.get("choices")).items()}
    try:
        choices = Choices(**chosen)
        values = {name: facts[name] for name in ("recipe", "seed", "precision")}
        return replace(here, **values, choices=choices)
    except (TypeError, KeyError) as error:
        raise InputError(f"run {run.id} has settings that are not known: {error}") from error


def plan_of(run: Run, layers: tuple[str, ...]) -> Plan:
    """The plan of a run; raises InputError where it is not one for these layers."""
    rows = run.facts.get("layers")
    plan = {}
    for row in rows if isinstance(rows, list) else ():
        name, sparsity = _mapping(run, row).get("name"), _mapping(run, row).get("sparsity")
        if isinstance(name, str) and isinstance(sparsity, int | float):
            plan[name] = check_sparsity(float(sparsity), name)
    if set(plan) != set(layers):
        raise InputError(f"run {run.id} has no plan for the layers {', '.join(layers)}")
    return {layer: plan[layer] for layer in layers}


def epochs_of(run: Run) -> tuple[Epoch, ...]:
    """The epochs of a run, as far as they can be read; the last ones may be `final`."""
    rows = run.facts.get("epochs")
    best = run.facts.get("best")
    found = []
    for row in rows if isinstance(rows, list) else ():
        row = _mapping(run, row)
        try:
            found.append(
                Epoch(
                    epoch=int(row["epoch"]),
                    loss=float("nan") if row["loss"] is None else float(row["loss"]),
                    validation=float(row["validation"]),
                    seconds=float(row["seconds"]),
                    sparsity=float(row["sparsity"]),
                    final=bool(row.get("final", row["epoch"] == best)),
                    revived=0,
                )
            )
        except (KeyError, TypeError, ValueError):
            return ()
    return tuple(found)


def _accuracy(run: Run, stage: str) -> Accuracy:
    found = _mapping(run, _mapping(run, run.facts.get("accuracy")).get(stage))
    values = [found.get(split) for split in ("validation", "test")]
    if not all(isinstance(v, int | float) and isfinite(v) for v in values):
        raise InputError(f"run {run.id} does not say how accurate its net is ({stage})")
    return Accuracy(*(float(v) for v in values if v is not None))


def _mapping(run: Run, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"run {run.id} is damaged: its {type(value).__name__} is no table")
    return value
