"""The key `g`: turns a goal into sparsities, or finds the lightest net by fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from core.errors import InputError
from core.events import Event, StopFlag, Stream
from core.lightest.trials import COSTS, By, PackingStarted, TrialStarted
from core.pruning.curves import PointScanned, ScanUpdated
from tui.features.feature import Feature, available
from tui.session import Session
from tui.state.training_curve import TrainingCurve
from tui.text.format import plural
from tui.views import job_outcomes
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.jobs.net import Net
    from core.lightest.trials import Lightest
    from core.pruning.plans import Plan
    from tui.screens.goal_dialog import GoalRequest
    from tui.state.state import State

Learned = Callable[["State"], "State"]
"""Gives a state what a job has learned."""


class Goals(Feature):
    """Sparsities for a goal, and the way to the lightest net."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._request: GoalRequest | None = None

    @available()
    def ask(self) -> None:
        """Ask for a goal and an allocation method."""
        from tui.screens.goal_dialog import GoalDialog, suggested  # late: not at the start

        request = self._request or suggested(self.state)
        self.session.ask(GoalDialog(self.state, request), self._take)

    def _take(self, request: GoalRequest) -> None:
        from tui.screens.goal_dialog import with_criterion

        self._request, session = request, self.session
        chosen = with_criterion(self.state, request)
        if request.ranks:
            self._rank(request, chosen)
            return
        session.show(self.state.set_recipe(chosen.settings, request.plan))
        if request.drop is not None:
            self._ask_by(request.method, request.drop)
        elif request.times_layers:
            self._time_layers(request)
        elif request.plan is not None:
            session.show(self.state, _planned(request))

    def _rank(self, request: GoalRequest, chosen: State) -> None:
        """Rank the weights by the criterion of a goal, then take the goal."""
        base = chosen.base
        if base is None:
            return

        def learn(stop: StopFlag) -> Stream[Learned]:
            profiles = yield from self.session.backend.profiles(base, chosen.settings, stop)
            return lambda state: replace(
                state, rankings=state.rankings.having(base, chosen.order, profiles)
            )

        request = replace(request, ranks=False)
        self._learn("ranking the weights", request, chosen, learn)

    def _time_layers(self, request: GoalRequest) -> None:
        """Time the layers, then take the goal."""
        base = self.state.base
        if base is None:
            return

        def learn(stop: StopFlag) -> Stream[Learned]:
            costs = yield from self.session.backend.layer_times(base, stop)
            return lambda state: state.with_costs(costs)

        request = replace(request, times_layers=False)
        self._learn("timing the layers", request, self.state, learn)

    def _learn(
        self,
        title: str,
        request: GoalRequest,
        state: State,
        learn: Callable[[StopFlag], Stream[Learned]],
    ) -> None:
        """Learn something that a goal needs, work out its plan if that was all, and take it."""
        from tui.screens.goal_dialog import plan_of

        session = self.session

        def start(stop: StopFlag) -> Stream[tuple[Learned, Plan | InputError | None]]:
            learned = yield from learn(stop)
            if request.drop is not None or request.times_layers:
                return learned, None
            try:
                return learned, plan_of(request, learned(state))
            except InputError as error:  # out of reach: what was learned stays
                return learned, error

        def finish(outcome: tuple[Learned, Plan | InputError | None]) -> None:
            learned, plan = outcome
            session.state = learned(session.state)
            if isinstance(plan, InputError):
                session.activity = Outcome(str(plan), "{goal} for another goal", role="error")
            else:
                self._take(replace(request, plan=plan))

        session.start_job(title, start, finish)

    def _ask_by(self, method: str, drop: float) -> None:
        """Ask what the net is to have least of."""
        from tui.screens.question import Choice  # late: not at the start

        options = [(by, "", meaning) for by, meaning in COSTS.items()]
        title = f"The lightest net within {plural(drop, 'point')}: the fewest"

        def take(by: str) -> None:
            self._descend(method, drop, next(known for known in COSTS if known == by))

        self.session.ask(Choice(title, options), take)

    def _descend(self, method: str, drop: float, by: By) -> None:
        session, state, base = self.session, self.state, self.state.base
        if base is None:
            return
        began, curve, locks, settings = monotonic(), state.curve, state.locks, state.settings
        packing = False

        def follow(event: Event) -> None:
            nonlocal packing
            if isinstance(event, ScanUpdated | PointScanned):
                session.state = session.state.with_scan(state.scan_key(base), event.scan)
            elif isinstance(event, TrialStarted):
                packing = False
                session.watch_training(TrainingCurve(event.epochs, finetuning=True))
            elif isinstance(event, PackingStarted):
                packing = True
            elif not packing:
                session.follow_training(event)

        def finish(outcome: tuple[Lightest, Net | None]) -> None:
            found, net = outcome
            if found.best is not None and net is not None:
                best, tuned, seconds = found.best, found.best.result, monotonic() - began
                before = replace(session.state.undo_point, curve=curve)
                session.state = session.with_stored_scan(
                    session.state.after(before).with_restored(
                        best.base, best.plan, net, tuned.pruned, tuned.dead, seconds, tuned.sizes
                    )
                )
            session.activity = job_outcomes.found_lightest(found)

        start = partial(session.backend.lightest, base, drop, by, method, locks, settings)
        session.start_job("finding the lightest net", start, finish, follow)


def _planned(request: GoalRequest) -> Outcome:
    text = f"{request.title} · {{undo}} to undo"
    advice = "{prune} to measure, {fine-tune} to fine-tune; {lock} to exclude a layer from goals"
    return Outcome(text, advice, transient=True)
