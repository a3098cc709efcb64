"""The key `g`: turns a goal into sparsities, at once or by a search that fine-tunes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from core.events import Event
from core.jobs.search import TrialStarted
from core.pruning.curves import PointScanned, ScanUpdated
from tui.features.feature import Feature, available
from tui.screens.goal_dialog import GoalDialog, GoalRequest, suggested
from tui.session import Session
from tui.state.training_curve import TrainingCurve
from tui.views import job_outcomes
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.jobs.search import SearchResult
    from core.jobs.workbench import Net


class Goals(Feature):
    """Sparsities for a goal, and the search for the smallest net."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._request: GoalRequest | None = None

    @available()
    def ask(self) -> None:
        """Ask for a goal and an allocation method."""
        request = self._request or suggested(self.state)
        self.session.ask(GoalDialog(self.state, request), self._take)

    def _take(self, request: GoalRequest) -> None:
        self._request = request
        if request.drop is not None:
            self._search(request.method, request.drop)
        elif request.plan is not None:
            text = f"{request.title} · {{undo}} to undo"
            advice = (
                "{prune} to measure, {fine-tune} to fine-tune; {lock} to exclude a layer from goals"
            )
            outcome = Outcome(text, advice, transient=True)
            self.session.show(self.state.set_plan(request.plan), outcome)

    def _search(self, method: str, drop: float) -> None:
        session, state, base = self.session, self.state, self.state.base
        if base is None:
            return
        began, curve, locks, settings = monotonic(), state.curve, state.locks, state.settings

        def follow(event: Event) -> None:
            if isinstance(event, ScanUpdated | PointScanned):
                session.state = session.state.with_scan(base.digest, event.scan)
            elif isinstance(event, TrialStarted):
                epochs = session.state.recipe.epochs
                session.watch_training(TrainingCurve(epochs, finetuning=True))
            else:
                session.follow_training(event)

        def finish(outcome: tuple[SearchResult, Net | None]) -> None:
            search, net = outcome
            if search.best is not None and net is not None:
                best, tuned, seconds = search.best, search.best.result, monotonic() - began
                before = replace(session.state.undo_point, curve=curve)
                session.state = session.with_stored_scan(
                    session.state.after(before).with_restored(
                        best.base, best.plan, net, tuned.pruned, tuned.dead, seconds, tuned.sizes
                    )
                )
            session.activity = job_outcomes.searched(search)

        start = partial(session.backend.search, base, drop, method, locks, settings)
        session.start_job("searching", start, finish, follow)
