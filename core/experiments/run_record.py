"""What is recorded of a run: one tree of dataclasses, whose type hints are the format of the file.

`read_record` reads it, `record_json` writes it, and nothing else knows the keys. Accuracies are in
percent, times in seconds, sizes in bytes, sparsities are fractions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from core.data.inputs import Inputs
from core.errors import InputError
from core.events import Accuracy, Epoch
from core.nets.footprint import Sizes
from core.settings.choices import MAX_EPOCHS, Choices
from core.system.typed_json import Limits, plain, typed

FINETUNE: Literal["finetune"] = "finetune"
TRAIN: Literal["train"] = "train"

Count = Annotated[int, Limits(0, 1e12)]
Number = Annotated[int, Limits(1, MAX_EPOCHS)]
"""Of an epoch, a round or a trial, counted from 1."""
Fraction = Annotated[float, Limits(0, 1)]
Percent = Annotated[float, Limits(0, 100)]
Measured = Annotated[Accuracy, Limits(0, 100)]
Ratio = Annotated[float, Limits(1e-3, 1e12)]
Bytes = Annotated[Sizes, Limits(1, 1 << 50)]

_WHOLE = Limits(whole=True)


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """One prunable layer.

    Attributes:
        name: in the net.
        elements: weights.
        sparsity: planned.
        kept: weights that are not zero.
        threshold: the largest magnitude that the plan, applied to the base in one shot, prunes.

    Raises:
        InputError: the name is empty.
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
    """One epoch; `loss` is None where it was not finite, `final` as in `core.events.Epoch`."""

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
        run: that produced it; None for the dense net.
        weights: their digest.
        trained: it is not as its code initialized it.
    """

    run: str | None
    weights: str | None
    trained: bool | None = None


@dataclass(frozen=True, slots=True)
class StageAccuracies:
    """Measured in each stage; `base` is the fine-tuned net that the run went on from."""

    dense: Measured | None = None
    base: Measured | None = None
    pruned: Measured | None = None
    finetuned: Measured | None = None

    @property
    def measured(self) -> dict[str, Accuracy]:
        """Those that are known, by stage."""
        found = ((stage.name, getattr(self, stage.name)) for stage in fields(self))
        return {name: accuracy for name, accuracy in found if accuracy is not None}


@dataclass(frozen=True, slots=True)
class ValueBytes:
    """Bytes of all parameters, and of the nonzero ones, in float32."""

    dense: Count | None
    pruned: Count | None


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """Which trial of a search a run is, and the validation accuracy that the search asks for."""

    trial: Number | None
    least: float | None


@dataclass(frozen=True, slots=True)
class Resumption:
    """When and where a run was resumed."""

    at: datetime | None
    environment: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a recipe trains, and how its plan comes into force."""

    epochs: Number | None = None
    rounds: Number | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that is known of a run; None is what is not known, or not yet.

    Attributes:
        status: as its file states it, see `core.experiments.runs.Run.status`.
        precision: that it computes in, never `auto`.
        choices: changes to the recipe.
        finetuning: every hyperparameter of a fine-tuning by name.
        training: the same of a dense training.
        ratio: parameters over nonzeros.
        dead: units of each layer that could be removed without changing any logit.
        nonzero_without_dead: nonzeros that are left without dead units.
        parameters_without_dead: parameters of a smaller dense net without them.
        best: the epoch that is kept; None where no epoch ended at the full plan.
        revived: weights outside the masks that are not zero: always 0.
        stopped: it was stopped early; None while it is unfinished.
        search: the search that it is a part of.
        allocate: the method that shared out that search's ratio.
        state: what an unfinished run resumes from, beside its checkpoint's tensors.
    """

    kind: Literal["finetune", "train"] | None = None
    status: Literal["running", "done", "stopped"] | None = None
    model: str | None = None
    dataset: str | None = None
    inputs: Annotated[Inputs, _WHOLE] | None = field(default_factory=Inputs)
    protocol: str | None = None
    precision: str | None = None
    device: str | None = None
    threads: Annotated[int, Limits(1, 1e6)] | None = None
    seed: Annotated[int, Limits(0, 2**63 - 1)] | None = None
    recipe: str | None = None
    choices: Annotated[Choices, _WHOLE] | None = None
    finetuning: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
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
    sizes: Bytes | None = None
    search: TrialRecord | None = None
    allocate: str | None = None
    created: datetime | None = None
    environment: Mapping[str, str] | None = None
    resumed: tuple[Resumption, ...] = ()
    state: Mapping[str, Any] | None = None

    @property
    def schedule(self) -> Schedule:
        """How long it was to train, and how."""
        recipe = self.training if self.kind == TRAIN else self.finetuning
        return typed(Schedule, recipe or {})[0] or Schedule()

    @property
    def planned_epochs(self) -> int | None:
        """Epochs in all rounds."""
        schedule = self.schedule
        return schedule.epochs and schedule.epochs * (schedule.rounds or 1)

    @property
    def epoch_events(self) -> tuple[Epoch, ...]:
        """The epochs as a training tells them; none if one of them is damaged."""
        found = []
        for row in self.epochs:
            if row.validation is None or row.seconds is None or row.sparsity is None:
                return ()
            loss = math.nan if row.loss is None else row.loss
            final = row.epoch == self.best if row.final is None else row.final
            found.append(
                Epoch(row.epoch, loss, row.validation, row.seconds, row.sparsity, final, revived=0)
            )
        return tuple(found)

    def provenance(self, other: RunRecord) -> RunRecord:
        """This with what another record of the same run says of where it comes from."""
        return replace(
            self,
            search=other.search,
            allocate=other.allocate,
            created=other.created,
            environment=other.environment,
            resumed=other.resumed,
        )


_FINISHED = {
    TRAIN: {"ratio", "best"},
    FINETUNE: {
        "ratio", "dead", "nonzero_without_dead", "parameters_without_dead", "best", "sizes",
    },
}  # fmt: skip
"""What a finished run of each kind says even where it is null."""


def read_record(data: object, file: str) -> tuple[RunRecord, tuple[str, ...]]:
    """Read a record from the contents of a file, leaving out what is damaged.

    Returns:
        The record; and a line for each damaged value: file, key, what was found and expected.
    """
    record, faults = typed(RunRecord, data)
    return record or RunRecord(), tuple(f"{file}: {fault}" for fault in faults)


def record_json(record: RunRecord) -> dict[str, Any]:
    """The record as its file holds it, in JSON's own types."""
    written = plain(record)
    if record.sizes is not None:  # a file of the quantised net, if any, is among the exports
        written["sizes"]["quantised"] = None
    nulls = _FINISHED.get(record.kind or "", ()) if record.stopped is not None else ()
    names = (field.name for field in fields(record))
    return {name: written.get(name) for name in names if name in written or name in nulls}


def report_json(record: RunRecord) -> dict[str, Any]:
    """The record as the commands print it."""
    return record_json(replace(record, status=None, state=None))
