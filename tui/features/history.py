"""History: the runs of the experiment, and restoring any of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.experiments.run_record import PRUNE, TRAIN
from core.pruning.plans import Plan
from core.training.recipes import first_full_epoch
from tui.features.feature import Feature, available
from tui.session import Session
from tui.state.results import Result
from tui.state.state import State
from tui.state.training_curve import TrainingCurve
from tui.views import job_outcomes

if TYPE_CHECKING:
    from core.experiments.runs import Run
    from core.jobs.restore import RestoredRun
    from tui.screens.history.screen import HistoryScreen


class History(Feature):
    """Showing the runs, and restoring one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._screen: HistoryScreen | None = None
        session.followers.append(self._mark_current)

    @available()
    def show(self) -> None:
        """Show the runs."""
        from tui.screens.history.screen import HistoryScreen  # late: not at the start

        dense = self.state.dense.accuracy.validation if self.state.dense else None
        experiment = self.session.backend.experiment
        self._screen = HistoryScreen(experiment, current=_run_of(self.state), dense=dense)
        self.session.ask(self._screen, self._return_to)

    def _mark_current(self, state: State) -> None:
        """Mark the run that just ended in the history, if that is open."""
        if self._screen is not None and self._screen is self.session.app.screen:
            self._screen.mark_current(_run_of(state))

    def _return_to(self, run: Run) -> None:
        """Go back to a run; resume it where it was interrupted."""
        session, dense = self.session, self.state.dense
        if dense is None:
            return

        def finish(restored: RestoredRun) -> None:
            session.state = session.with_stored_scan(with_run(session.state, restored))
            session.activity = job_outcomes.restored(restored, run.id)

        action = "restoring" if run.finished else "resuming" if run.record.epochs else "restarting"
        session.start_job(
            f"{action} run {run.id}",
            partial(session.backend.restore, dense, run),
            finish,
            session.follow_training,
            curve=None if run.finished or run.record.kind == PRUNE else _curve(run),
        )


def _run_of(state: State) -> str | None:
    """The run whose net is on the screen."""
    tuned = state.finetuned.net if state.finetuned else None
    net = state.net or tuned
    return net.run if net else None


def _curve(run: Run) -> TrainingCurve:
    """The training curve of a run that is about to be resumed."""
    record, epochs = run.record, run.record.epoch_events
    plan = record.schedule
    return TrainingCurve(
        record.planned_epochs or len(epochs),
        finetuning=record.kind != TRAIN,
        epochs=epochs,
        full_from=first_full_epoch(plan.method, plan.epochs or 1, plan.rounds or 1),
    )


def with_run(state: State, restored: RestoredRun) -> State:
    """The state at the end of the run; undo goes back."""
    run = restored.settings
    settings = replace(state.settings, seed=run.seed, recalibrate=run.recalibrate)
    if restored.plan is not None and restored.stage != "finetuned":
        changes = replace(settings.changes, criterion=run.changes.criterion)
        state = replace(state.after(state.undo_point), settings=replace(settings, changes=changes))
        return _untrained(state, restored, restored.plan)
    settings = replace(settings, recipe=run.recipe, changes=run.changes)
    state = replace(state.after(state.undo_point), settings=settings)
    planned = len(restored.epochs) or state.recipe.epochs
    curve = TrainingCurve(planned, finetuning=restored.plan is not None, epochs=restored.epochs)
    if restored.plan is None:
        net = restored.net
        return replace(state.without_results(), dense=net, base=net, curve=curve)
    state = _with_dense(state, restored).with_restored(
        restored.base,
        restored.plan,
        restored.net,
        restored.pruned,
        restored.dead,
        sizes=restored.sizes,
        exports=restored.exports,
        reconstructed=restored.reconstructed,
    )
    return replace(state, curve=curve)


def _with_dense(state: State, restored: RestoredRun) -> State:
    """The state with the run's dense net, if the run started from that."""
    return state if restored.base.dense is not None else replace(state, dense=restored.base)


def _untrained(state: State, restored: RestoredRun, plan: Plan) -> State:
    """The state at the end of a run without training: pruned, perhaps reconstructed."""
    base, made, net = restored.base, restored.reconstruction, restored.net
    state = replace(_with_dense(state, restored).without_results(), base=base, plan=plan)
    result = Result(
        state.planned,
        base,
        net.accuracy,
        state.footprint,
        net if made else None,
        dead=restored.dead,
        sizes=restored.sizes,
        exports=restored.exports,
        reconstruction=made,
        shot=state.shot,
    )
    if made is None:
        return replace(state, pruned=result)
    accuracy = restored.pruned or base.accuracy
    shot = Result(state.planned, base, accuracy, state.footprint, shot=state.shot)
    return replace(state, pruned=shot, reconstructed=result)
