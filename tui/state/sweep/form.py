"""The form of a sweep: the lists whose combinations are run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.errors import InputError
from core.experiments.runs import Run
from core.pruning.goals import Goal, parse_goal
from core.settings.settings import Settings
from core.sweep.choices import PlanAxes
from core.sweep.grid import Grid, Trial, distinct
from core.sweep.summary import known_seconds
from tui.state.recipe_form import FormRow
from tui.text.format import duration, plural

METHODS = (
    ("lamp",),
    ("lamp", "erk"),
    ("lamp", "magnitude"),
    ("lamp", "magnitude", "erk"),
    ("lamp", "magnitude", "erk", "uniform", "han"),
)
"""Lists of allocation methods to choose from."""

MOST_SEEDS, MOST_WORKERS = 10, 64


class Place(NamedTuple):
    """Where trials run: its name, what that means, and the options of `featherweight sweep`."""

    name: str
    meaning: str
    words: tuple[str, ...] = ()


PLACES = (
    Place("this machine", "separate processes"),
    Place("Ray cluster", "one CPU a trial", ("--on", "auto")),
    Place("cluster's GPUs", "one GPU a trial", ("--on", "auto", "--gpus-per-trial", "1")),
)
"""Places to choose from. The cluster is the one that this machine belongs to."""

RATIOS = "10,20,40"


@dataclass(frozen=True, slots=True)
class SweepForm:
    """The lists of a sweep, while they are edited.

    Attributes:
        ratios: as typed, separated by commas.
        methods: the index of the allocation methods in `METHODS`.
        seeds: how many, from that of the settings on.
        place: the index of the place in `PLACES`.
        workers: how many trials run at once on this machine.
        at: the index of the selected row; 0 is the ratios.
    """

    settings: Settings
    ratios: str = RATIOS
    methods: int = 0
    seeds: int = 1
    place: int = 0
    workers: int = 1
    at: int = 0

    @property
    def grid(self) -> Grid:
        """The lists; raises InputError if the ratios are none."""
        first = self.settings.seed
        seeds = tuple(range(first, first + self.seeds))
        plans = PlanAxes(_goals(self.ratios), METHODS[self.methods])
        return Grid(plans, {"seed": seeds})

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials; raises InputError if the ratios are none."""
        return self.grid.trials(lambda given: replace(self.settings, **given))

    @property
    def problem(self) -> str:
        """Why these lists make no sweep; empty if they do."""
        try:
            _goals(self.ratios)
            return ""
        except InputError as error:
            return str(error)

    def preview(self, runs: Iterable[Run] | None) -> str:
        """How many trials there are and how long they take, going by recorded runs.

        None stands for runs that are not read yet.
        """
        text = self.grid.count_text()
        if runs is None:
            return text
        seconds = known_seconds(self.trials, runs)
        if seconds is None:
            return f"{text}; time unknown until the first is done"
        if self.place:
            return f"{text}; about {duration(seconds)} of training, if one after the other"
        at_once = f", {self.workers} at once" if self.workers > 1 else ""
        return f"{text}; about {duration(seconds / self.workers)} of training{at_once}"

    def rows(self) -> tuple[FormRow, ...]:
        """Every row but the ratios, in order."""
        methods = METHODS[self.methods]
        first = self.settings.seed
        seeds = ", ".join(map(str, range(first, first + self.seeds)))
        place = PLACES[self.place]
        at_once = "one after the other" if self.workers == 1 else "each in a process"
        if self.place:
            at_once = "as many as fit"
        return (
            FormRow("methods", "allocation", ", ".join(methods),
                "splits the budget", False, False),
            FormRow("seeds", "seeds", seeds,
                f"{plural(self.seeds, 'run')} of each plan", False, False),
            FormRow("place", "where", place.name, place.meaning, False, False),
            FormRow("workers", "at once", str(self.workers), at_once, False, self.place > 0),
        )  # fmt: skip

    def move(self, steps: int) -> SweepForm:
        """With another row selected; stops at either end."""
        return replace(self, at=min(max(self.at + steps, 0), len(self.rows())))

    def change(self, steps: int) -> SweepForm:
        """With the selected row's value moved by `steps`."""
        match self.at:
            case 1:
                methods = min(max(self.methods + steps, 0), len(METHODS) - 1)
                return replace(self, methods=methods)
            case 2:
                return replace(self, seeds=min(max(self.seeds + steps, 1), MOST_SEEDS))
            case 3:
                return replace(self, place=min(max(self.place + steps, 0), len(PLACES) - 1))
            case 4 if not self.place:
                return replace(self, workers=min(max(self.workers + steps, 1), MOST_WORKERS))
            case _:
                return self


def _goals(ratios: str) -> tuple[Goal, ...]:
    """The ratios of a list; raises InputError if one is none, or given twice."""
    texts = distinct([text.strip() for text in ratios.split(",")], "ratios")
    return tuple(map(_ratio, texts))


def _ratio(text: str) -> Goal:
    """A ratio, with or without its x; raises InputError if it is none."""
    try:
        return parse_goal(f"{text.removesuffix('x')}x")
    except InputError as error:
        expected = "expected numbers from 1, such as 10,20,40"
        raise InputError(f"ratios: found '{text}', {expected}") from error
