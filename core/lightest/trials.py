"""A trial of a descent, its events, and the results; loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.events import Event

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.jobs.export import ExportResult, SmallFile
    from core.jobs.net import Net
    from core.pruning.budgets.costs import Unit
    from core.pruning.plans import Plan
    from core.settings.settings import Settings
    from core.training.finetuning import FineTuningResult

By = Literal["parameters", "bytes", "macs", "ms"]

COSTS: dict[By, str] = {
    "parameters": "nonzero weights and biases",
    "bytes": "the compact file, with as few values as the drop allows",
    "macs": "multiplications for an image",
    "ms": "milliseconds for an image on this machine",
}
"""What a light net may be judged by, and what that counts."""

UNITS: dict[By, Unit] = {"macs": "macs", "ms": "ns"}
"""What the plans of a descent are made for, if not for parameters."""


ROUNDING = 1e-9
"""Slack in points: 99.28 - 0.2 is slightly more than 99.08 in floating point."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial of a descent.

    Attributes:
        number: 1-based.
        ratio: the planned ratio of the dense cost to its own: of parameters, or of what it is
            judged by.
        epochs: it was fine-tuned for at most, over all rounds.
        settings: with its seed and epochs.
        base: the net that was fine-tuned.
        accurate: whether it is as accurate as required.
        cost: what its net costs; None if it is judged by a file and too inaccurate for one.
        passed: whether it is accurate enough and costs less than the trials before.
        file: its compact file, if nets are judged by that.
    """

    number: int
    ratio: float
    epochs: int
    settings: Settings
    base: Net
    plan: Plan
    result: FineTuningResult
    accurate: bool
    cost: float | None
    passed: bool
    file: SmallFile | None = None

    @property
    def accuracy(self) -> Accuracy:
        """The accuracy of what it is judged by: of the file, if there is one, or of the net."""
        return self.file.accuracy if self.file else self.result.accuracy


@dataclass(frozen=True, slots=True)
class DescentStarted(Event):
    """The descent of a seed starts; `least` is the required validation accuracy in percent."""

    seed: int
    by: By
    least: float


@dataclass(frozen=True, slots=True)
class TrialStarted(Event):
    """A trial starts: to `ratio`, with up to `epochs` epochs."""

    number: int
    ratio: float
    epochs: int


@dataclass(frozen=True, slots=True)
class PackingStarted(Event):
    """The fewest values for the file of a trial's net are looked for, and may be trained."""


@dataclass(frozen=True, slots=True, eq=False)
class TrialFinished(Event):
    """A trial has finished."""

    trial: Trial
    by: By


@dataclass(frozen=True, eq=False)
class Descent:
    """What one seed found.

    Attributes:
        least: required validation accuracy in percent.
        complete: whether it ended by itself, not by a stop flag, the time limit or an error.
        error: what the net's own code raised, if that ended it early; else empty.
    """

    seed: int
    least: float
    trials: tuple[Trial, ...]
    complete: bool = True
    error: str = ""

    @property
    def best(self) -> Trial | None:
        """The lightest net that passed; None if none did."""
        return cheapest(self.trials)


@dataclass(frozen=True, eq=False)
class Lightest:
    """The answer: a descent for each seed.

    Attributes:
        by: what nets are judged by.
        seeds: that were asked for; a descent that was not begun is missing.
        stopped: whether the user stopped it.
        file: the best net's file as read back; None if none was asked for, or no net passed.
    """

    by: By
    max_drop: float
    seeds: tuple[int, ...]
    descents: tuple[Descent, ...]
    stopped: bool
    file: ExportResult | None = None

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials of all seeds."""
        return tuple(trial for descent in self.descents for trial in descent.trials)

    @property
    def best(self) -> Trial | None:
        """The lightest net over all seeds; None if none passed."""
        return cheapest(self.trials)

    @property
    def complete(self) -> bool:
        """Whether there is a descent for every seed that ended by itself."""
        begun = len(self.descents) == len(self.seeds)
        return begun and all(descent.complete for descent in self.descents)

    @property
    def error(self) -> str:
        """What the net's own code raised, if that ended it early; else empty."""
        return next((descent.error for descent in self.descents if descent.error), "")


def cheapest(trials: Sequence[Trial]) -> Trial | None:
    """The trial that passed and costs least; None if none passed."""
    passed = [trial for trial in trials if trial.passed and trial.cost is not None]
    return min(passed, key=lambda trial: trial.cost or 0.0, default=None)
