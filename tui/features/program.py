"""The keys for the program as a whole: help, the command palette, and leaving."""

from tui.screens.help import HelpScreen, help_text
from tui.screens.palette import Palette
from tui.screens.question import Question
from tui.session import Session
from tui.views.activity import JobProgress


class Program:
    """Help, every command by name, and the way out."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def help(self) -> None:
        """Show every key and what the numbers mean."""
        self.session.app.push_screen(HelpScreen(help_text(self.session.state)))

    def open_palette(self) -> None:
        """Offer every command by its name."""
        app = self.session.app
        if not isinstance(app.screen, Palette):
            app.push_screen(Palette(id="--command-palette"))

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
