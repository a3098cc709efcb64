"""History: the runs of the experiment, and the way back to any of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.experiments.run_record import TRAIN
from tui.features.training import Training
from tui.screens.history import HistoryScreen
from tui.state.results import Course
from tui.state.state import State
from tui.views import outcomes

if TYPE_CHECKING:
    from core.experiments.runs import Run
    from core.jobs.restore import Restored


class Returning(Training):
    """The key `h`, and what comes of it."""

    def action_history(self) -> None:
        """Show the runs."""
        dense = self.state.dense
        screen = HistoryScreen(
            self.backend.experiment,
            current=_run_of(self.state),
            dense=dense.accuracy.validation if dense else None,
        )
        self.push_screen(screen, self._return_to)

    def show(self, state: State) -> None:
        """Show a state; the history, where it is open, marks the run that has just ended."""
        super().show(state)
        if isinstance(self.screen, HistoryScreen):
            self.screen.mark_current(_run_of(state))

    def _return_to(self, run: Run | None) -> None:
        """Restore a run; resume it first if it was interrupted."""
        dense = self.state.dense
        if run is None:
            return
        if dense is None or self.job is not None:
            self.notify("a job runs: wait for its end, or stop it with x, then come back")
            return

        def finish(restored: Restored) -> None:
            self.state = self.with_kept_scan(returned(self.state, restored))
            self.doing = outcomes.restored(restored, run.id)

        self._subject = None
        if not run.finished:
            self.watch_training(_course(run))
        action = "restoring" if run.finished else "resuming" if run.record.epochs else "restarting"
        title = f"{action} run {run.id}"
        self.start_job(title, lambda stop: self.backend.restore(dense, run, stop), finish)


def _run_of(state: State) -> str | None:
    """The run whose net is on the screen."""
    tuned = state.finetuned
    return tuned.net.run if tuned and tuned.net else None


def _course(run: Run) -> Course:
    """How far a run had come that is resumed."""
    record, epochs = run.record, run.record.epoch_events
    is_tuning = record.kind != TRAIN
    return Course(record.planned_epochs or len(epochs), finetuning=is_tuning, epochs=epochs)


def returned(state: State, restored: Restored) -> State:
    """The state as it was when the run had ended; undo comes back from it."""
    before = state.moment
    made = restored.settings
    settings = replace(state.settings, recipe=made.recipe, choices=made.choices, seed=made.seed)
    state = replace(state.after(before), settings=settings)
    planned = len(restored.epochs) or settings.finetuning.epochs
    course = Course(planned, finetuning=restored.plan is not None, epochs=restored.epochs)
    if restored.plan is None:
        return replace(
            state,
            dense=restored.net,
            base=restored.net,
            pruned=None,
            finetuned=None,
            course=course,
        )
    if restored.base.dense is None:
        state = replace(state, dense=restored.base)
    state = state.come_to(
        restored.base,
        restored.plan,
        restored.net,
        restored.pruned,
        restored.dead,
        sizes=restored.sizes,
        exports=restored.exports,
    )
    return replace(state, course=course)
