"""History: the runs of the experiment, and restoring any of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.experiments.run_record import TRAIN
from tui.features.availability import available
from tui.screens.history.screen import HistoryScreen
from tui.session import Session
from tui.state.state import State
from tui.state.training_curve import TrainingCurve
from tui.views import outcomes

if TYPE_CHECKING:
    from core.experiments.runs import Run
    from core.jobs.restore import RestoredRun


class History:
    """The runs, and the way back to one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        session.followers.append(self._mark_current)

    @available()
    def show(self) -> None:
        """Show the runs."""
        state = self.session.state
        screen = HistoryScreen(
            self.session.backend.experiment,
            current=_run_of(state),
            dense=state.dense.accuracy.validation if state.dense else None,
        )
        self.session.ask(screen, self._return_to)

    def _mark_current(self, state: State) -> None:
        """Have the history, where it is open, mark the run that has just ended."""
        screen = self.session.app.screen
        if isinstance(screen, HistoryScreen):
            screen.mark_current(_run_of(state))

    def _return_to(self, run: Run | None) -> None:
        """Go back to a run; resume it where it was interrupted."""
        session = self.session
        dense = session.state.dense
        if run is None:
            return
        if dense is None or session.job is not None:
            text = "a job is running: wait for it or press x to stop it, then try again"
            session.app.notify(text, markup=False)
            return

        def finish(restored: RestoredRun) -> None:
            session.state = session.with_kept_scan(returned(session.state, restored))
            session.doing = outcomes.restored(restored, run.id)

        if not run.finished:
            session.watch_training(_curve(run))
        action = "restoring" if run.finished else "resuming" if run.record.epochs else "restarting"
        title = f"{action} run {run.id}"
        start = partial(session.backend.restore, dense, run)
        session.start_job(title, start, finish, session.follow_training)


def _run_of(state: State) -> str | None:
    """The run whose net is on the screen."""
    tuned = state.finetuned
    return tuned.net.run if tuned and tuned.net else None


def _curve(run: Run) -> TrainingCurve:
    """The training curve of a run that is about to be resumed."""
    record, epochs = run.record, run.record.epoch_events
    finetunes = record.kind != TRAIN
    return TrainingCurve(record.planned_epochs or len(epochs), finetuning=finetunes, epochs=epochs)


def returned(state: State, restored: RestoredRun) -> State:
    """The state at the end of the run; undo returns from it."""
    before = state.undo_point
    made = restored.settings
    settings = replace(state.settings, recipe=made.recipe, changes=made.changes, seed=made.seed)
    state = replace(state.after(before), settings=settings)
    planned = len(restored.epochs) or settings.finetuning.epochs
    curve = TrainingCurve(planned, finetuning=restored.plan is not None, epochs=restored.epochs)
    if restored.plan is None:
        net = restored.net
        return replace(state, dense=net, base=net, pruned=None, finetuned=None, curve=curve)
    if restored.base.dense is None:
        state = replace(state, dense=restored.base)
    state = state.with_restored(
        restored.base,
        restored.plan,
        restored.net,
        restored.pruned,
        restored.dead,
        sizes=restored.sizes,
        exports=restored.exports,
    )
    return replace(state, curve=curve)
