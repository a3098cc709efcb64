"""The keys that find sparsities: scan, tolerance, goal, search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from core.curves import Scan, Scanned
from core.events import Event
from core.plans import Plan
from core.search import Tried, Trying
from tui import outcomes
from tui.format import ratio
from tui.results import Course, Moment, Result
from tui.screens.goal import Asked, GoalScreen
from tui.training import Training
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.search import Found
    from core.workbench import Net
    from tui.backend import Backend


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What a search started from."""

    base: Net
    since: Moment
    began: float


class Exploring(Training):
    """Everything that answers: how far can it go?"""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._asked = Asked()
        self._scanning = ""

    def action_scan(self) -> None:
        """Scan the base, live."""
        base = self.state.base
        if base is None:
            return

        def finish(scan: Scan) -> None:
            self.state = self.state.with_scan(base.digest, scan)
            self.doing = outcomes.scanned(scan, self.state.tolerance)

        self._scanning = base.digest
        self.bring_into_sight("sensitivity")
        self.start_job("scanning", lambda stop: self.backend.scan(base, stop), finish)

    def action_tolerate(self, steps: int) -> None:
        """Move the line in the sensitivity plot, and have it in sight."""
        self.bring_into_sight("sensitivity")
        self.show(self.state.tolerate(steps))

    def action_goal(self) -> None:
        """Ask how light the net shall be, and how the layers share in that."""
        state = self.state
        if state.base is None:
            return
        screen = GoalScreen(state, self._asked)
        self.push_screen(screen, self._take_goal)

    def _take_goal(self, asked: Asked | None) -> None:
        if asked is None:
            return
        self._asked = asked
        if asked.drop is not None:
            self._search(asked)
        elif asked.plan is not None:
            self.doing = Outcome(
                f"{asked.title} by {asked.method}: u takes it back",
                "p measures it, f fine-tunes to it; l locks layers that a goal leaves alone",
            )
            self.show(self.state.set_plan(asked.plan))

    def _search(self, asked: Asked) -> None:
        base, drop = self.state.base, asked.drop
        if base is None or drop is None:
            return
        if self.job is not None:
            self.notify("a job runs: wait for its end, or stop it with x, then search")
            return
        self._subject, self._scanning = None, base.digest
        search = _Search(base, self.state.moment, monotonic())
        settings, locks = self.state.settings, self.state.locks

        def finish(outcome: tuple[Found, Net | None]) -> None:
            self._found(search, *outcome)

        backend = self.backend
        self.start_job(
            "search",
            lambda stop: backend.search(base, drop, asked.method, locks, settings, stop),
            finish,
        )

    def _found(self, search: _Search, found: Found, net: Net | None) -> None:
        """Take the best trial as if it had been planned and fine-tuned by hand."""
        if found.best is not None and net is not None:
            plan: Plan = found.best.plan
            state = self.state.set_plan(plan)
            result = Result(
                plan,
                search.base,
                found.best.result.accuracy,
                state.footprint,
                net,
                monotonic() - search.began,
            )
            self.state = state.with_finetuned(result, search.since)
        self.doing = outcomes.found(found)

    def follow(self, event: Event) -> None:
        """Fold what a scan or a search says into the state."""
        super().follow(event)
        match event:
            case Scanned(scan):
                self.state = self.state.with_scan(self._scanning, scan)
            case Trying():
                course = Course(self.state.settings.finetuning.epochs, finetuning=True)
                self.state = replace(self.state, course=course)
                self.bring_into_sight("accuracy")
            case Tried(trial):
                accuracy = trial.result.accuracy
                self.log(f"trial {trial.number}: {ratio(trial.asked)}, {accuracy}")
