"""History: the runs of the experiment, and the way back to any of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui import outcomes
from tui.history import RunRow
from tui.results import Course
from tui.screens.history import HistoryScreen
from tui.state import State
from tui.training import Training

if TYPE_CHECKING:
    from core.recall import Recalled
    from core.runs import Run


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
        """Go back to a run; go on with it where it was interrupted."""
        dense = self.state.dense
        if run is None:
            return
        if dense is None or self.job is not None:
            text = "a job runs: wait for its end, or stop it with x, then come back"
            self.notify(text, markup=False)
            return

        def finish(recalled: Recalled) -> None:
            self.state = self.with_kept_scan(returned(self.state, recalled))
            self.doing = outcomes.recalled(recalled, run.id)

        self._subject = None
        if not run.finished:
            self.watch_training(_course(run))
        title = f"back to run {run.id}" if run.finished else f"going on with run {run.id}"
        self.start_job(title, lambda stop: self.backend.recall(dense, run, stop), finish)


def _run_of(state: State) -> str | None:
    """The run whose net is on the screen."""
    tuned = state.finetuned
    return tuned.net.run if tuned and tuned.net else None


def _course(run: Run) -> Course:
    """How far a run had come that is gone on with."""
    from core.recall import epochs_of  # loads torch, which is there by now

    row, epochs = RunRow.of(run), epochs_of(run)
    return Course(row.planned or len(epochs), finetuning=not row.trained, epochs=epochs)


def returned(state: State, recalled: Recalled) -> State:
    """The state as it was when the run had ended; undo comes back from it."""
    before = state.moment
    made = recalled.settings
    settings = replace(state.settings, recipe=made.recipe, choices=made.choices, seed=made.seed)
    state = replace(state.after(before), settings=settings)
    planned = len(recalled.epochs) or settings.finetuning.epochs
    course = Course(planned, finetuning=recalled.plan is not None, epochs=recalled.epochs)
    if recalled.plan is None:
        return replace(
            state,
            dense=recalled.net,
            base=recalled.net,
            pruned=None,
            finetuned=None,
            course=course,
        )
    if recalled.base.dense is None:
        state = replace(state, dense=recalled.base)
    state = state.come_to(
        recalled.base,
        recalled.plan,
        recalled.net,
        recalled.pruned,
        recalled.dead,
        sizes=recalled.sizes,
        exports=recalled.exports,
    )
    return replace(state, course=course)
