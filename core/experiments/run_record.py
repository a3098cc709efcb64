"""The record of a run: a tree of dataclasses whose type hints define the file format.

`read_record` reads it, `record_json` writes it, and nothing else knows the keys. Accuracies are in
percent, times in seconds, sizes in bytes, sparsities are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from core.criteria.names import MAGNITUDE
from core.data.inputs import Inputs
from core.errors import InputError
from core.events import Accuracy, Epoch
from core.nets.footprint import Sizes
from core.settings.recipe_changes import MAX_EPOCHS, RecipeChanges
from core.system.typed_json import Limits, from_plain, to_plain

FINETUNE: Literal["finetune"] = "finetune"
PRUNE: Literal["prune"] = "prune"
"""Pruned, perhaps reconstructed, and measured, without training."""
TRAIN: Literal["train"] = "train"

Count = Annotated[int, Limits(0, 1e12)]
Number = Annotated[int, Limits(1, MAX_EPOCHS)]
"""A count of epochs, rounds or trials, from 1."""
Fraction = Annotated[float, Limits(0, 1)]
Percent = Annotated[float, Limits(0, 100)]
AccuracyPercent = Annotated[Accuracy, Limits(0, 100)]
Ratio = Annotated[float, Limits(1e-3, 1e12)]
Bytes = Annotated[Sizes, Limits(1, 1 << 50)]

Faults = tuple[str, ...]
"""Damaged values of a record, a line each: file, key, what was found and expected."""

_WHOLE = Limits(whole=True)


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """One prunable layer.

    Attributes:
        sparsity: planned.
        kept: number of nonzero weights.
        threshold: the largest magnitude the plan prunes from the base in one shot; or importance,
            by another criterion.

    Raises InputError if the name is empty.
    """

    name: str
    elements: Count | None = None
    sparsity: Fraction | None = None
    kept: Count | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("found '', expected the name of a layer")


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch; `loss` is None if not finite, `final` as in `core.events.Epoch`."""

    epoch: Number
    loss: float | None
    validation: Percent | None
    seconds: Annotated[float, Limits(0, 1e12)] | None
    sparsity: Fraction | None
    final: bool | None = None

    @classmethod
    def of(cls, epoch: Epoch) -> Self:
        """The record of an epoch."""
        loss = epoch.loss if math.isfinite(epoch.loss) else None
        return cls(epoch.epoch, loss, epoch.validation, epoch.seconds, epoch.sparsity, epoch.final)


Epochs = Annotated[tuple[EpochRecord, ...], Limits(rows=MAX_EPOCHS)]


@dataclass(frozen=True, slots=True)
class BaseRecord:
    """The net that was fine-tuned.

    Attributes:
        run: the run that produced it; None for the dense net.
        weights: digest of its weights.
        trained: whether it was trained, not just initialized.
    """

    run: str | None
    weights: str | None
    trained: bool | None = None


@dataclass(frozen=True, slots=True)
class RecalibrationRecord:
    """What a pruned net's running statistics are computed from.

    Attributes:
        layers: that have such statistics.
        images: of the training set, drawn from `seed`.
    """

    layers: Count | None = None
    images: Count | None = None
    seed: Annotated[int, Limits(0, 2**63 - 1)] | None = None


@dataclass(frozen=True, slots=True)
class LayerErrorRecord:
    """The output error of a reconstructed layer on the sample, see `LayerReconstructed`.

    Attributes:
        magnitude: the error of magnitude pruning with as many weights.
        error: that of the reconstructed weights.
        reason: why it was pruned by magnitude instead; empty if it was not.
    """

    name: str
    magnitude: float | None = None
    error: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReconstructionRecord:
    """What the net that fine-tuning started from was reconstructed with.

    Attributes:
        images: of the training set, drawn from `seed`.
        stopped: whether it was stopped early; the layers left are pruned by magnitude.
    """

    images: Count | None = None
    seed: Annotated[int, Limits(0, 2**63 - 1)] | None = None
    stopped: bool | None = None
    seconds: Annotated[float, Limits(0, 1e12)] | None = None
    layers: Annotated[tuple[LayerErrorRecord, ...], Limits(rows=2_000)] = ()


@dataclass(frozen=True, slots=True)
class StageAccuracies:
    """Accuracies by stage; `base` is the fine-tuned net the run started from, if not dense.

    See `RunRecord.measured` for the known ones with the images they were measured on.
    """

    dense: AccuracyPercent | None = None
    base: AccuracyPercent | None = None
    pruned: AccuracyPercent | None = None
    reconstructed: AccuracyPercent | None = None
    finetuned: AccuracyPercent | None = None


@dataclass(frozen=True, slots=True)
class SplitSizes:
    """The images that accuracies were measured on."""

    validation: Count
    test: Count


@dataclass(frozen=True, slots=True)
class ValueBytes:
    """Bytes of all parameters and of the nonzero ones in float32."""

    dense: Count | None
    pruned: Count | None


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """The trial of a descent to the lightest net.

    Attributes:
        least: the validation accuracy required, in percent.
        by: what nets are judged by, see `core.lightest.trials`.
    """

    trial: Number | None
    least: float | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Resumption:
    """When and where a run was resumed."""

    at: datetime | None
    environment: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs per round, rounds and pruning method of a recipe."""

    epochs: Number | None = None
    rounds: Number | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a run; None means unknown, or not known yet.

    Attributes:
        split_sizes: the images that accuracies were measured on.
        status: as stored, see `core.experiments.runs.Run.status`.
        model_args: the arguments of the user's own net, see `core.nets.model_args`.
        precision: the resolved one, never `auto`.
        choices: changes to the recipe; named after their key in a run's file.
        finetuning: all hyperparameters of a fine-tuning by name.
        training: all hyperparameters of dense training by name.
        recalibrate: the setting; None for a net without running statistics.
        reconstruction: None if nothing was reconstructed.
        dead: dead units per layer.
        nonzero_without_dead: nonzeros once dead units are removed.
        parameters_without_dead: parameters of the smaller dense net without dead units.
        best: the epoch of the weights; None if no epoch ended at the full plan.
        revived: weights outside the masks that are not zero; always 0.
        stopped: whether it was stopped early; None while unfinished.
        error: what the net's own code raised, if that ended it early.
        weights: digest of the net it produced.
        lightest: the trial it is, if part of a descent to the lightest net.
        goal: what the plan was made for, as `core.pruning.goals.parse_goal` reads it; None for
            other plans.
        allocate: the allocation method that made the plan of a goal, or the plans of a descent.
        state: what an unfinished run resumes from, besides its checkpoint's tensors.
    """

    kind: Literal["finetune", "train", "prune"] | None = None
    status: Literal["running", "done", "stopped"] | None = None
    model: str | None = None
    model_args: str | None = ""
    fresh_head: bool | None = False
    dataset: str | None = None
    inputs: Annotated[Inputs, _WHOLE] | None = field(default_factory=Inputs)
    protocol: str | None = None
    split_sizes: SplitSizes | None = None
    precision: str | None = None
    device: str | None = None
    threads: Annotated[int, Limits(1, 1e6)] | None = None
    seed: Annotated[int, Limits(0, 2**63 - 1)] | None = None
    recipe: str | None = None
    choices: Annotated[RecipeChanges, _WHOLE] | None = None
    finetuning: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    recalibrate: Literal["on", "off"] | None = None
    recalibration: RecalibrationRecord | None = None
    reconstruction: ReconstructionRecord | None = None
    base: BaseRecord | None = None
    parameters: Count | None = None
    nonzero: Count | None = None
    ratio: Ratio | None = None
    bytes: ValueBytes | None = None
    layers: Annotated[tuple[LayerRecord, ...], Limits(rows=2_000)] = ()
    accuracy: StageAccuracies = StageAccuracies()
    epochs: Epochs = field(default_factory=tuple)
    dead: Mapping[str, Count] | None = None
    nonzero_without_dead: Count | None = None
    parameters_without_dead: Count | None = None
    best: Number | None = None
    revived: Count | None = None
    stopped: bool | None = None
    error: str | None = None
    weights: str | None = None
    sizes: Bytes | None = None
    lightest: TrialRecord | None = None
    goal: str | None = None
    allocate: str | None = None
    created: datetime | None = None
    environment: Mapping[str, str] | None = None
    resumed: tuple[Resumption, ...] = ()
    state: Mapping[str, Any] | None = None

    @property
    def measured(self) -> dict[str, Accuracy]:
        """The known accuracies by stage, with the images they were measured on."""
        sizes = self.split_sizes
        images = (sizes.validation, sizes.test) if sizes else (0, 0)
        stages = {stage.name: getattr(self.accuracy, stage.name) for stage in fields(self.accuracy)}
        known = {name: accuracy for name, accuracy in stages.items() if accuracy is not None}
        return {name: replace(accuracy, images=images) for name, accuracy in known.items()}

    @property
    def stage(self) -> str:
        """The stage of the net that the run produced: the last one measured."""
        return next(reversed(self.measured), "dense" if self.kind == TRAIN else "finetuned")

    @property
    def criterion(self) -> str:
        """What ranked the weights that it pruned."""
        return (self.choices and self.choices.criterion) or MAGNITUDE

    @property
    def schedule(self) -> Schedule:
        """The planned training schedule."""
        recipe = self.training if self.kind == TRAIN else self.finetuning
        return from_plain(Schedule, recipe or {})[0] or Schedule()

    @property
    def planned_epochs(self) -> int | None:
        """The planned number of epochs over all rounds."""
        schedule = self.schedule
        return schedule.epochs and schedule.epochs * (schedule.rounds or 1)

    @property
    def epoch_events(self) -> tuple[Epoch, ...]:
        """The epochs as events of a training; none if one of them is damaged."""
        events, images = [], self.split_sizes.validation if self.split_sizes else 0
        for row in self.epochs:
            if row.validation is None or row.seconds is None or row.sparsity is None:
                return ()
            loss = math.nan if row.loss is None else row.loss
            final = row.epoch == self.best if row.final is None else row.final
            numbers = row.epoch, loss, row.validation, row.seconds, row.sparsity
            events.append(Epoch(*numbers, final, revived=0, images=images))
        return tuple(events)

    def provenance(self, other: RunRecord) -> RunRecord:
        """This record with the origin of another record of the same run."""
        names = ("lightest", "goal", "allocate", "created", "environment", "resumed")
        origin: dict[str, Any] = {name: getattr(other, name) for name in names}
        if self.reconstruction is None and other.reconstruction is not None:  # it was resumed
            before = other.accuracy.reconstructed
            origin["reconstruction"] = other.reconstruction
            origin["accuracy"] = replace(self.accuracy, reconstructed=before)
        return replace(self, **origin)


_PRUNED = {"ratio", "dead", "nonzero_without_dead", "parameters_without_dead", "sizes"}
_FINISHED = {TRAIN: {"ratio", "best"}, PRUNE: _PRUNED, FINETUNE: {*_PRUNED, "best"}}
"""Keys a finished run of each kind writes even if they are null."""


def read_record(data: object, file: str) -> tuple[RunRecord, Faults]:
    """Read a record from the contents of a file, without damaged values."""
    record, faults = from_plain(RunRecord, data)
    return record or RunRecord(), tuple(f"{file}: {fault}" for fault in faults)


def record_json(record: RunRecord) -> dict[str, Any]:
    """The record as JSON data for its file."""
    written = to_plain(record)
    if record.sizes is not None:  # a file of the quantized net, if any, is among the exports
        written["sizes"]["quantised"] = None
    nulls = _FINISHED.get(record.kind or "", ()) if record.stopped is not None else ()
    names = (field.name for field in fields(record))
    return {name: written.get(name) for name in names if name in written or name in nulls}


def report_json(record: RunRecord) -> dict[str, Any]:
    """The record as the commands print it."""
    return record_json(replace(record, status=None, state=None, weights=None))
