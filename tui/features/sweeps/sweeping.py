"""The key `G`: a sweep of the net on the screen, in a process of its own, watched here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from threading import Event as Flag
from time import monotonic
from typing import TYPE_CHECKING

from core.errors import InputError
from core.events import Event
from core.sweep.live.folder import SweepFolder, newest_sweep
from tui.features.feature import Feature, available
from tui.features.sweeps.sweep_command import sweep_words
from tui.session import Session
from tui.state.sweep.board import Board
from tui.system.own_process import own_command
from tui.views import job_outcomes
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.sweep.live.events import SweepResult
    from tui.state.sweep.form import SweepForm

TITLE = "sweeping"


class Sweeping(Feature):
    """Starting a sweep, and watching it; one that runs already is found again."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._board = Board()
        self._folder: SweepFolder | None = None
        self._leaves = Flag()
        self._form: SweepForm | None = None
        self._ours = False

    @available()
    def show(self) -> None:
        """Show the sweep that runs; if there is none, ask for one."""
        session, experiment = self.session, self.session.backend.experiment
        if session.job is not None and session.leave_job is not None:
            self._watch()
            return
        if session.job is not None:
            session.say(f"a sweep has to wait: {session.job_title} is running, {{stop}} stops it")
            return
        running = newest_sweep(experiment.folder)
        if running is not None and running.is_running:
            self._follow(running, None)
            return
        from tui.screens.sweep.dialog import SweepDialog  # late: not at the start

        session.ask(SweepDialog(self._suggested(), experiment.runs), self._start)

    def _suggested(self) -> SweepForm:
        """The lists of the last sweep, with the settings of now."""
        from tui.state.sweep.form import SweepForm

        form = self._form or SweepForm(self.state.settings)
        return replace(form, settings=self.state.settings, at=0)

    def _start(self, form: SweepForm) -> None:
        session, experiment = self.session, self.session.backend.experiment
        self._form = form
        try:
            words = sweep_words(form, self.state, experiment)
            folder = session.backend.new_sweep()
        except InputError as error:
            session.show(self.state, Outcome(str(error), "no sweep was started", role="error"))
            return
        self._follow(folder, own_command(words))

    def _follow(self, folder: SweepFolder, command: list[str] | None) -> None:
        """Watch a sweep as the job; a command starts it."""
        session = self.session
        self._board, self._folder, self._leaves = Board(), folder, Flag()
        self._ours = command is not None
        session.start_job(
            TITLE,
            partial(session.backend.sweep, command, folder, self._leaves.is_set),
            self._finish,
            self._take,
            leave=self._leaves.set,
        )
        self._watch()

    def _take(self, event: Event) -> None:
        self._board = self._board.after(event, monotonic())

    def _finish(self, result: SweepResult | None) -> None:
        self.session.activity = job_outcomes.swept(result, ours=self._ours)

    def _watch(self) -> None:
        """Open the screen of the sweep."""
        from tui.screens.sweep.screen import SweepControls, SweepScreen  # late: not at the start

        dense = self.state.dense.accuracy.validation if self.state.dense else None
        controls = SweepControls(
            lambda: self._board, dense, self._select, self._stop, self._leaves.set, self._ended
        )
        self.session.ask(SweepScreen(controls), lambda _: None)

    def _ended(self) -> str | None:
        """None while the sweep is watched; then the error that ended it, or an empty text."""
        if self.session.job is not None:
            return None
        ended = self.session.activity
        return ended.text if isinstance(ended, Outcome) and ended.role == "error" else ""

    def _select(self, steps: int) -> None:
        self._board = self._board.select(steps)

    def _stop(self, trial: int | None) -> None:
        """Ask the process of the sweep to stop a trial, or all."""
        if self._folder is None:
            return
        try:
            self._folder.stop(trial)
        except InputError as error:
            self.session.app.notify(str(error), severity="error")
