"""The runs of an experiment as the history screen shows them.

Anything missing or damaged in a run's record is None here and shows as a dash.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Self

from core.criteria.names import MAGNITUDE
from core.events import Accuracy
from core.experiments.exports import Export, newest_compact
from core.experiments.pareto import front
from core.experiments.run_record import PRUNE, TRAIN, LayerRecord, RunRecord
from core.experiments.runs import UNREADABLE, Run
from core.pruning.curves import SPLITS
from tui.text.lines import clean

_KINDS = {"finetune": "fine-tune", "train": "train", "prune": "prune"}
_STAGES = {"finetune": "finetuned", "train": "dense"}
"""The stage of the net that a kind of run produces; without training, the last one measured."""

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class RunGroup:
    """What runs must have in common for their accuracies to be comparable."""

    model: str | None
    dataset: str | None
    protocol: str | None
    inputs: str | None = None

    @classmethod
    def of(cls, record: RunRecord) -> Self:
        """Read it from a run's record."""
        inputs = record.inputs.flags if record.inputs else "unknown"
        head = "fresh head" if record.fresh_head else ""
        net = ", ".join(filter(None, (record.model, record.model_args, head)))
        return cls(*map(_shown, (net or None, record.dataset, record.protocol, inputs)))


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run.

    Attributes:
        created: in local time.
        accuracy: of the resulting net.
        dense: of the dense net it is compared with.
        epochs: the finished epochs with their validation accuracies in percent.
        planned: number of planned epochs.
        base: the id of the run whose net it started from.
        layers: each name once.
    """

    run: Run
    group: RunGroup
    created: datetime | None
    ratio: float | None
    accuracy: Accuracy | None
    dense: Accuracy | None
    epochs: tuple[tuple[int, float | None], ...]
    planned: int | None
    recipe: str | None
    method: str | None
    precision: str | None
    base: str | None
    layers: tuple[LayerRecord, ...]

    @classmethod
    def of(cls, run: Run) -> Self:
        """Read a run; long texts are cut."""
        record, measured, is_dense = run.record, run.record.measured, run.record.kind == TRAIN
        return cls(
            run,
            RunGroup.of(record),
            created=_local(record.created),
            ratio=_ratio(record),
            accuracy=measured.get(_STAGES.get(record.kind or "", record.stage)),
            dense=None if is_dense else measured.get("dense"),
            epochs=tuple(
                (row.epoch, row.validation)
                for row in sorted(record.epochs, key=attrgetter("epoch"))
            ),
            planned=record.planned_epochs,
            recipe=None if record.kind == PRUNE else _shown(record.recipe),
            method=None if is_dense else _shown(record.schedule.method),
            precision=_shown(record.precision),
            base=_shown(record.base.run if record.base else None),
            layers=tuple({row.name: row for row in reversed(record.layers)}.values())[::-1],
        )

    @property
    def record(self) -> RunRecord:
        """The run's record."""
        return self.run.record

    @property
    def id(self) -> str:
        """The run's name."""
        return self.run.id

    @property
    def status(self) -> str:
        """Its status, see `core.experiments.runs`."""
        return self.run.status

    @property
    def trained(self) -> bool:
        """Whether it is a dense training rather than fine-tuning."""
        return self.record.kind == TRAIN

    @property
    def kind(self) -> str | None:
        """The kind of run, in one or two words."""
        if self.record.lightest and self.record.lightest.trial is not None:
            return f"trial {self.record.lightest.trial}"
        if self.record.kind == PRUNE and self.record.reconstruction is not None:
            return "reconstruct"
        return _KINDS.get(self.record.kind or "")

    @property
    def recipe_and_method(self) -> str | None:
        """Its recipe and method, and its criterion if that is not magnitude."""
        by = f"by {self.criterion}" if self.criterion not in (None, MAGNITUDE) else ""
        return " ".join(filter(None, (self.recipe, self.method, by))) or None

    @property
    def criterion(self) -> str | None:
        """What ranked the weights that it pruned; None for dense training."""
        return None if self.trained else self.record.criterion

    @property
    def note(self) -> str:
        """Its note, on one line."""
        return _one_line(self.run.note)

    @property
    def problem(self) -> str:
        """Why it is unreadable; empty if it is readable."""
        return _one_line(self.run.problem or "") if self.status == UNREADABLE else ""

    @property
    def damage(self) -> str:
        """What its record lacks, and why; empty if nothing."""
        faults = self.run.faults
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return f"damaged: {_one_line(faults[0])}{more}" if faults else ""

    @property
    def compact(self) -> int | None:
        """Bytes of its net in a lossless compact file."""
        if export := newest_compact(self.run.exports, exact=True):
            return export.bytes
        return self.record.sizes.compact if self.record.sizes else None

    @property
    def quantized(self) -> Export | None:
        """The newest lossy compact file of its net."""
        return newest_compact(self.run.exports, exact=False)

    @property
    def openable(self) -> bool:
        """Whether its net is stored, or it can be resumed or restarted."""
        return self.run.finished or self.run.resumable

    def score(self, split: str) -> float | None:
        """Its accuracy on a split."""
        return accuracy_on(self.accuracy, split)

    def images(self, split: str) -> int:
        """How many images its accuracy on a split was measured on; 0 if unknown."""
        return 0 if self.accuracy is None else self.accuracy.images[split != SPLITS[0]]

    def gain(self, split: str) -> float | None:
        """Its accuracy minus the dense net's, in points."""
        score, dense = self.score(split), accuracy_on(self.dense, split)
        return None if score is None or dense is None else score - dense


SORT_KEYS: dict[str, Callable[[RunRow, str], Any]] = {
    "run": lambda row, _: int(row.id),
    "when": lambda row, _: row.created,
    "kind": lambda row, _: row.kind,
    "ratio": lambda row, _: row.ratio,
    "nonzero": lambda row, _: row.record.nonzero,
    "validation": lambda row, _: row.score("validation"),
    "test": lambda row, _: row.score("test"),
    "vs. dense": lambda row, split: row.gain(split),
    "epochs": lambda row, _: len(row.epochs) or None,
    "recipe": lambda row, _: row.recipe_and_method,
    "seed": lambda row, _: row.record.seed,
    "note": lambda row, _: row.note.casefold() or None,
}
"""The sort key of each column, by run and split."""


def accuracy_on(accuracy: Accuracy | None, split: str) -> float | None:
    """An accuracy on one of `SPLITS`."""
    if accuracy is None:
        return None
    return accuracy.validation if split == SPLITS[0] else accuracy.test


def sort_rows(
    rows: Iterable[RunRow], column: str, descending: bool, split: str
) -> tuple[RunRow, ...]:
    """The rows by a column of `SORT_KEYS`, ties by age, the newest first.

    Rows without a value in that column come last, in either order.
    """
    key = SORT_KEYS[column]
    newest = sorted(rows, key=lambda row: int(row.id), reverse=True)
    known = [row for row in newest if key(row, split) is not None]
    known.sort(key=lambda row: key(row, split), reverse=descending)
    return (*known, *(row for row in newest if key(row, split) is None))


def plot_point(row: RunRow, split: str) -> tuple[float, float] | None:
    """A run's ratio and accuracy; None if either is unknown."""
    score = row.score(split)
    return None if row.ratio is None or score is None else (row.ratio, score)


def fronts(rows: Sequence[RunRow], split: str) -> frozenset[str]:
    """The ids of the runs on the Pareto front of their group."""
    groups: dict[RunGroup, list[tuple[str, tuple[float, float]]]] = {}
    for row in rows:
        if (at := plot_point(row, split)) is not None:
            groups.setdefault(row.group, []).append((row.id, at))
    return frozenset(
        group[index][0] for group in groups.values() for index in front([at for _, at in group])
    )


def why_incomparable(row: RunRow) -> str:
    """Why a run cannot be compared; empty if it can."""
    if row.status == UNREADABLE:
        return f"run {row.id} cannot be read"
    known = row.ratio is not None or row.accuracy is not None or row.epochs or row.layers
    return "" if known else f"run {row.id} recorded nothing to compare"


def differences(one: RunRow, other: RunRow) -> tuple[tuple[str, str, str], ...]:
    """The settings in which two runs differ, most important first: name, one, other."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("net", one.group.model, other.group.model),
        ("data", one.group.dataset, other.group.dataset),
        ("images", one.group.inputs, other.group.inputs),
        ("protocol", one.group.protocol, other.group.protocol),
        ("kind", one.record.kind, other.record.kind),
        ("recipe", one.recipe, other.recipe),
        ("method", one.method, other.method),
        ("criterion", one.criterion, other.criterion),
        ("epochs", one.planned, other.planned),
        ("from", one.base or "dense", other.base or "dense"),
        ("reconstructed", _is_reconstructed(one), _is_reconstructed(other)),
        ("recalibrate", one.record.recalibrate, other.record.recalibrate),
        ("seed", one.record.seed, other.record.seed),
        ("precision", one.precision, other.precision),
    )
    return tuple((name, _text(this), _text(that)) for name, this, that in pairs if this != that)


def layer_pairs(one: RunRow, other: RunRow) -> tuple[tuple[LayerRecord, LayerRecord], ...]:
    """The layers of two runs, matched by name; a missing one has no numbers."""
    mine, others = ({layer.name: layer for layer in row.layers} for row in (one, other))
    names = dict.fromkeys((*mine, *others))
    return tuple((mine.get(n, LayerRecord(n)), others.get(n, LayerRecord(n))) for n in names)


def _text(value: object) -> str:
    return "–" if value is None else str(value)


def _is_reconstructed(row: RunRow) -> str:
    return "no" if row.record.reconstruction is None else "yes"


def _ratio(record: RunRecord) -> float | None:
    if record.ratio is None and record.parameters and record.nonzero:
        return record.parameters / record.nonzero
    return record.ratio


def _local(time: datetime | None) -> datetime | None:
    return time and time.astimezone()


def _shown(text: str | None) -> str | None:
    """A text on one line, in characters that take one cell in every terminal."""
    return _one_line(text[:_LONGEST]) or None if text else None


def _one_line(text: str) -> str:
    return clean(" ".join(text.split()))
