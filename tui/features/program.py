"""The keys for the program as a whole: help, and leaving."""

from __future__ import annotations

from tui.screens.dialogs import Question
from tui.screens.help import HelpScreen
from tui.session import Session
from tui.views.activity import JobProgress


class Program:
    """Help, and the way out."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def help(self) -> None:
        """Show every key and what the numbers mean."""
        self.session.app.push_screen(HelpScreen())

    def leave(self) -> None:
        """Quit, without asking if no work would be lost."""
        session = self.session
        app, is_open = session.app, session.state.base is not None
        if isinstance(app.screen, Question):
            return
        working = session.doing if isinstance(session.doing, JobProgress) else None
        if working is None or (not is_open and working.batch is None):
            app.exit()
            return
        recorded = is_open and working.epoch is not None
        lost = "can be resumed from h." if recorded else "will be discarded."
        question = Question(f"Quit? {working.title} is still running and {lost}", "quit")
        session.ask(question, lambda leave: app.exit() if leave else None)
