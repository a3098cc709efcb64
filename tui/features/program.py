"""The keys for the program as a whole: help and quit."""

from tui.features.feature import Feature
from tui.screens.help import HelpScreen, help_text
from tui.screens.messages import MessagesScreen
from tui.screens.question import Question
from tui.views.activity import JobProgress


class Program(Feature):
    """Help and quitting."""

    def help(self) -> None:
        """Show every key and what the numbers mean."""
        self.session.app.push_screen(HelpScreen(help_text(self.state)))

    def messages(self) -> None:
        """Show every message of this session in full."""
        self.session.app.push_screen(MessagesScreen(self.session.messages))

    def leave(self) -> None:
        """Quit, without asking if no work would be lost."""
        app, activity = self.session.app, self.session.activity
        is_open = self.state.base is not None
        if isinstance(activity, JobProgress) and (is_open or activity.batch is not None):
            if isinstance(app.screen, Question):
                return
            recorded = is_open and activity.epoch is not None
            lost = "its run can be resumed later (h)." if recorded else "will be discarded."
            title = activity.title[:1].upper() + activity.title[1:]
            text = f"Quit? {title} is still running and {lost}"
            self.session.confirm(text, "Quit", "Keep running", app.exit)
        else:
            app.exit()
