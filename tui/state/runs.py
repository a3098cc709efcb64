"""The runs of an experiment as the history screen shows them, read without trusting a fact.

Whatever a run's file lacks, or says oddly, is None here, and shows as a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from core.errors import InputError
from core.experiments.exports import Export, newest_compact
from core.experiments.pareto import front
from core.experiments.runs import INTERRUPTED, UNREADABLE, Run
from core.nets.footprint import Sizes
from core.settings.choices import MOST_EPOCHS
from tui.state.lenient import MOST, mapping, mappings, moment, number, one_line, text, whole

SPLITS = ("validation", "test")

_KINDS = {"finetune": "run", "train": "train"}
_MOST_LAYERS = 2_000

Accuracies = tuple[float | None, float | None]
"""In percent, by split."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """What a run records of one layer; `sparsity` is a fraction, the name as it was found."""

    name: str
    elements: int | None = None
    sparsity: float | None = None
    kept: int | None = None


@dataclass(frozen=True, slots=True)
class Kin:
    """What two accuracies must have in common to be compared at all."""

    model: str | None
    dataset: str | None
    protocol: str | None
    inputs: str | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        """Read what a run says of it."""
        try:
            inputs = text(run.inputs.flags)
        except InputError:
            inputs = "unknown"
        model, dataset, protocol = (
            text(run.facts.get(name)) for name in ("model", "dataset", "protocol")
        )
        return cls(model, dataset, protocol, inputs)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run.

    Attributes:
        run: as it was read.
        kind: `finetune` or `train`.
        trial: which one of a search it is.
        created: in local time.
        accuracy: of what came of it.
        dense: of the dense net that it is compared with.
        epochs: the epochs that are over, and their validation accuracies in percent.
        planned: epochs that it was to have.
        best: the epoch that was kept.
        base: the run whose net it started from.
        resumable: it is unfinished, and its checkpoint says how to go on.
        sizes: bytes of its net.
    """

    run: Run
    kin: Kin
    kind: str | None = None
    trial: int | None = None
    created: datetime | None = None
    ratio: float | None = None
    parameters: int | None = None
    nonzero: int | None = None
    accuracy: Accuracies = (None, None)
    dense: Accuracies = (None, None)
    epochs: tuple[tuple[float, float | None], ...] = ()
    planned: int | None = None
    best: float | None = None
    recipe: str | None = None
    method: str | None = None
    seed: int | None = None
    precision: str | None = None
    base: str | None = None
    layers: tuple[LayerRow, ...] = ()
    resumable: bool = False
    sizes: Sizes | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        """Read a run, whatever its facts hold."""
        facts = run.facts
        kind = text(facts.get("kind"))
        trained = kind == "train"
        measured, tuning = mapping(facts, "accuracy"), mapping(facts, "finetuning")
        parameters, nonzero = whole(facts.get("parameters")), whole(facts.get("nonzero"))
        return cls(
            run,
            Kin.of(run),
            kind=kind,
            trial=whole(mapping(facts, "search").get("trial")),
            created=moment(facts.get("created")),
            ratio=_ratio(facts.get("ratio"), parameters, nonzero),
            parameters=parameters,
            nonzero=nonzero,
            accuracy=_splits(measured, "dense" if trained else "finetuned"),
            dense=(None, None) if trained else _splits(measured, "dense"),
            epochs=_epochs(facts),
            planned=_planned(mapping(facts, "training") if trained else tuning),
            best=number(facts.get("best"), 1),
            recipe=text(facts.get("recipe")),
            method=text(tuning.get("method")),
            seed=whole(facts.get("seed"), -MOST),
            precision=text(facts.get("precision")),
            base=text(mapping(facts, "base").get("run")),
            layers=_layers(facts),
            resumable=run.status == INTERRUPTED and bool(mapping(facts, "state")),
            sizes=Sizes.of(facts.get("sizes")),
        )

    @property
    def id(self) -> str:
        """The run's name."""
        return self.run.id

    @property
    def status(self) -> str:
        """How it ended, see `core.experiments.runs`."""
        return self.run.status

    @property
    def trained(self) -> bool:
        """It is a dense training, not a fine-tuning."""
        return self.kind == "train"

    @property
    def what(self) -> str | None:
        """What kind of run it is, in a word or two."""
        if self.trial is not None:
            return f"search {self.trial}"
        return _KINDS.get(self.kind, self.kind) if self.kind is not None else None

    @property
    def how(self) -> str | None:
        """Its recipe and its method."""
        return " ".join(filter(None, (self.recipe, self.method))) or None

    @property
    def note(self) -> str:
        """What a person typed, as it can be shown in a line."""
        return one_line(self.run.note)

    @property
    def problem(self) -> str:
        """What is wrong with an unreadable run."""
        return one_line(self.run.problem or "") if self.status == UNREADABLE else ""

    @property
    def compact(self) -> int | None:
        """Bytes of its net in a compact file that keeps every bit."""
        written = newest_compact(self.run.exports, exact=True)
        if written:
            return written.bytes
        return self.sizes.compact if self.sizes else None

    @property
    def quantised(self) -> Export | None:
        """The last compact file of its net that keeps less."""
        return newest_compact(self.run.exports, exact=False)

    @property
    def openable(self) -> bool:
        """Its net is there, or it can be resumed."""
        return self.run.finished or self.resumable

    def score(self, split: str) -> float | None:
        """Its accuracy on a split."""
        return self.accuracy[SPLITS.index(split)]

    def gain(self, split: str) -> float | None:
        """Points of accuracy above its dense net; below 0 where some were lost."""
        score, dense = self.score(split), self.dense[SPLITS.index(split)]
        return None if score is None or dense is None else score - dense


SORT_KEYS: dict[str, Callable[[RunRow, str], Any]] = {
    "run": lambda row, _: int(row.id),
    "when": lambda row, _: row.created,
    "what": lambda row, _: row.what,
    "ratio": lambda row, _: row.ratio,
    "nonzero": lambda row, _: row.nonzero,
    "validation": lambda row, _: row.score("validation"),
    "test": lambda row, _: row.score("test"),
    "vs dense": lambda row, split: row.gain(split),
    "epochs": lambda row, _: len(row.epochs) or None,
    "recipe": lambda row, _: row.how,
    "seed": lambda row, _: row.seed,
    "note": lambda row, _: row.note.casefold() or None,
}
"""What each column is sorted by, for the split that is looked at."""


def ordered(
    rows: Iterable[RunRow], column: str, descending: bool, split: str
) -> tuple[RunRow, ...]:
    """The rows by a column, one of `SORT_KEYS`; of equals the newest first.

    What has no value in that column comes last, either way round.
    """
    key = SORT_KEYS[column]
    newest = sorted(rows, key=lambda row: int(row.id), reverse=True)
    known = [row for row in newest if key(row, split) is not None]
    known.sort(key=lambda row: key(row, split), reverse=descending)
    return (*known, *(row for row in newest if key(row, split) is None))


def place(row: RunRow, split: str) -> tuple[float, float] | None:
    """Where a run lies in the plot of accuracy against size; None where it does not."""
    score = row.score(split)
    return None if row.ratio is None or score is None else (row.ratio, score)


def fronts(rows: Sequence[RunRow], split: str) -> frozenset[str]:
    """The runs that no other of their kin beats in both ratio and accuracy."""
    groups: dict[Kin, list[tuple[str, tuple[float, float]]]] = {}
    for row in rows:
        if (at := place(row, split)) is not None:
            groups.setdefault(row.kin, []).append((row.id, at))
    return frozenset(
        group[index][0] for group in groups.values() for index in front([at for _, at in group])
    )


def incomparable(row: RunRow) -> str:
    """Why a run cannot be laid beside another; empty where it can."""
    if row.status == UNREADABLE:
        return f"{row.id} cannot be read: nothing to compare"
    known = any(value is not None for value in (row.ratio, *row.accuracy))
    if known or row.epochs or row.layers:
        return ""
    return f"{row.id} records nothing that could be compared"


def differences(one: RunRow, other: RunRow) -> tuple[tuple[str, str, str], ...]:
    """The settings in which two runs differ, what matters most first: name, this, that."""
    pairs: tuple[tuple[str, object, object], ...] = (
        ("net", one.kin.model, other.kin.model),
        ("data", one.kin.dataset, other.kin.dataset),
        ("images", one.kin.inputs, other.kin.inputs),
        ("protocol", one.kin.protocol, other.kin.protocol),
        ("kind", one.kind, other.kind),
        ("recipe", one.recipe, other.recipe),
        ("method", one.method, other.method),
        ("epochs", one.planned, other.planned),
        ("from", one.base or "dense", other.base or "dense"),
        ("seed", one.seed, other.seed),
        ("precision", one.precision, other.precision),
    )
    return tuple((name, _shown(this), _shown(that)) for name, this, that in pairs if this != that)


def joined(one: RunRow, other: RunRow) -> tuple[tuple[LayerRow, LayerRow], ...]:
    """The layers of two runs by their names; one that a run lacks is without numbers there."""
    mine, others = ({layer.name: layer for layer in row.layers} for row in (one, other))
    names = dict.fromkeys((*mine, *others))
    return tuple((mine.get(n, LayerRow(n)), others.get(n, LayerRow(n))) for n in names)


def _shown(value: object) -> str:
    return "–" if value is None else str(value)


def _splits(measured: Mapping[str, Any], stage: str) -> Accuracies:
    values = mapping(measured, stage)
    return number(values.get("validation"), high=100), number(values.get("test"), high=100)


def _ratio(recorded: object, parameters: int | None, nonzero: int | None) -> float | None:
    if (ratio := number(recorded, 1e-3)) is not None:
        return ratio
    return parameters / nonzero if parameters and nonzero else None


def _epochs(facts: Mapping[str, Any]) -> tuple[tuple[float, float | None], ...]:
    numbered = [
        (at, number(row.get("validation"), high=100))
        for row in mappings(facts, "epochs", MOST_EPOCHS)
        if (at := number(row.get("epoch"), 1, MOST_EPOCHS)) is not None
    ]
    return tuple(sorted(numbered, key=lambda epoch: epoch[0]))


def _planned(recipe: Mapping[str, Any]) -> int | None:
    """Epochs in all rounds."""
    epochs = whole(recipe.get("epochs"), 1, MOST_EPOCHS)
    rounds = whole(recipe.get("rounds"), 1, MOST_EPOCHS)
    return epochs and epochs * (rounds or 1)


def _layers(facts: Mapping[str, Any]) -> tuple[LayerRow, ...]:
    """The layers, each name once."""
    named: dict[str, LayerRow] = {}
    for row in mappings(facts, "layers", _MOST_LAYERS):
        if isinstance(name := row.get("name"), str) and name:
            elements, kept = whole(row.get("elements")), whole(row.get("kept"))
            sparsity = number(row.get("sparsity"), high=1)
            named.setdefault(name, LayerRow(name, elements, sparsity, kept))
    return tuple(named.values())
