"""The key that goes from a goal to sparsities: at once, or by a search that fine-tunes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from core.events import Event
from core.jobs.search import TrialStarted
from core.pruning.curves import ScanUpdated
from tui.features.availability import available
from tui.screens.goal_dialog import Asked, GoalDialog
from tui.session import Session
from tui.state.training_curve import TrainingCurve
from tui.views import outcomes
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.jobs.search import SearchResult
    from core.jobs.workbench import Net


class Goals:
    """How light can it be?"""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._asked = Asked()

    @available()
    def ask(self) -> None:
        """Ask how light the net is to be, and how the layers share in that."""
        self.session.ask(GoalDialog(self.session.state, self._asked), self._take)

    def _take(self, asked: Asked | None) -> None:
        if asked is None:
            return
        self._asked = asked
        session = self.session
        if asked.drop is not None:
            self._search(asked.method, asked.drop)
        elif asked.plan is not None:
            session.show(session.state.set_plan(asked.plan))
            session.say(
                Outcome(
                    f"{asked.title} by {asked.method} · u undoes it",
                    "p to measure, f to fine-tune; l excludes a layer from goals",
                    passing=True,
                )
            )
            session.show(session.state)

    def _search(self, method: str, drop: float) -> None:
        session = self.session
        state, base = session.state, session.state.base
        if base is None:
            return
        if session.job is not None:
            text = "a job is running: wait for it or press x to stop it, then search"
            session.app.notify(text, markup=False)
            return
        began, curve, locks, settings = monotonic(), state.curve, state.locks, state.settings

        def follow(event: Event) -> None:
            if isinstance(event, ScanUpdated):
                session.state = session.state.with_scan(base.digest, event.scan)
            elif isinstance(event, TrialStarted):
                epochs = session.state.settings.finetuning.epochs
                session.watch_training(TrainingCurve(epochs, finetuning=True))
            else:
                session.follow_training(event)

        def finish(outcome: tuple[SearchResult, Net | None]) -> None:
            self._take_best(*outcome, monotonic() - began, curve)

        start = partial(session.backend.search, base, drop, method, locks, settings)
        session.start_job("search", start, finish, follow)

    def _take_best(
        self, found: SearchResult, net: Net | None, seconds: float, curve: TrainingCurve | None
    ) -> None:
        """Take the best trial with its base; undo goes to the curve there was before."""
        session, best = self.session, found.best
        if best is not None and net is not None:
            result = best.result
            state = session.state.after(
                replace(session.state.undo_point, curve=curve)
            ).with_restored(
                best.base, best.plan, net, result.pruned, result.dead, seconds, result.sizes
            )
            session.state = session.with_kept_scan(state)
        session.doing = outcomes.found(found)
