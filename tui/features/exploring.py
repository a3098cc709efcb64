"""The keys that find sparsities: scan, tolerance, goal, search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from core.events import Event
from core.jobs.search import Trying
from core.pruning.curves import Scan, ScanUpdated
from tui.features.training import Training
from tui.screens.goal import Asked, GoalScreen
from tui.state.results import Course
from tui.views import outcomes
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.jobs.search import Found
    from core.jobs.workbench import Net
    from tui.jobs.backend import Backend


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What a search started from."""

    course: Course | None
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

        before = self.state.scans.get(base.digest)

        def finish(scan: Scan) -> None:
            worse = scan.stopped and before is not None and before.exact
            self.state = self.state.with_scan(base.digest, before if worse and before else scan)
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
            self.show(self.state.set_plan(asked.plan))
            self.say(
                Outcome(
                    f"{asked.title} by {asked.method}: u takes it back",
                    "p measures it, f fine-tunes to it; l locks layers that a goal leaves alone",
                    passing=True,
                )
            )
            self.show(self.state)

    def _search(self, asked: Asked) -> None:
        base, drop = self.state.base, asked.drop
        if base is None or drop is None:
            return
        if self.job is not None:
            self.notify("a job runs: wait for its end, or stop it with x, then search")
            return
        self._subject, self._scanning = None, base.digest
        search = _Search(self.state.course, monotonic())
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
        """Take the best trial with the base that it went on from."""
        best = found.best
        if best is not None and net is not None:
            seconds, pruned = monotonic() - search.began, best.result.pruned
            before = replace(self.state.moment, course=search.course)
            dead, sizes = best.result.dead, best.result.sizes
            state = self.state.after(before).come_to(
                best.base, best.plan, net, pruned, dead, seconds, sizes
            )
            self.state = self.with_kept_scan(state)
        self.doing = outcomes.found(found)

    def follow(self, event: Event) -> None:
        """Fold what a scan or a search says into the state."""
        super().follow(event)
        match event:
            case ScanUpdated(scan):
                self.state = self.state.with_scan(self._scanning, scan)
            case Trying():
                course = Course(self.state.settings.finetuning.epochs, finetuning=True)
                self.state = replace(self.state, course=course)
                self.bring_into_sight("accuracy")
