"""The keys for the program as a whole: help, and leaving."""

from __future__ import annotations

from tui.screens.dialogs import Question
from tui.screens.help import HelpScreen
from tui.session import Session
from tui.views.activity import Working


class Program:
    """Help, and the way out."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def help(self) -> None:
        """Show every key and what the numbers mean."""
        self.session.app.push_screen(HelpScreen())

    def leave(self) -> None:
        """Leave, at once where no work would be lost."""
        session = self.session
        app, is_open = session.app, session.state.base is not None
        if isinstance(app.screen, Question):
            return
        working = session.doing if isinstance(session.doing, Working) else None
        if working is None or (not is_open and working.batch is None):
            app.exit()
            return
        recorded = is_open and working.epoch is not None
        lost = "h can take it up again after its last epoch." if recorded else "Its work is lost."
        question = Question(f"Leave while {working.title} runs? {lost}", "leave")
        session.ask(question, lambda leave: app.exit() if leave else None)
