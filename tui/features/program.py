"""The keys for the program as a whole: help and quit."""

from tui.features.feature import Feature
from tui.keys.keymap import with_keys
from tui.screens.question import Question
from tui.views.activity import JobProgress


class Program(Feature):
    """Help and quitting."""

    def help(self) -> None:
        """Explain what has the focus and the visible plots, then every key and term."""
        from tui.screens.help.screen import HelpScreen  # late: not before the first screen
        from tui.screens.help.sections import context, main_help

        screen = self.session.main_screen
        here = context(screen, screen.visible_plots(self.state))
        self.session.app.push_screen(HelpScreen((*here, *main_help(self.state))))

    def messages(self) -> None:
        """Show every message of this session in full."""
        from tui.screens.help.screen import HelpScreen
        from tui.screens.help.sections import message_sections

        sections = message_sections(self.session.messages.all)
        self.session.app.push_screen(HelpScreen(sections, "Messages", tour=False))

    def _leave_job(self) -> None:
        """Quit; the work of the job goes on."""
        if self.session.leave_job is not None:
            self.session.leave_job()
        self.session.app.exit()

    def leave(self) -> None:
        """Quit, without asking if no work would be lost."""
        app, activity = self.session.app, self.session.activity
        if self.session.leave_job is not None:
            text = "Quit? The sweep keeps running; {sweep} returns to it."
            self.session.confirm_while_it_runs(
                with_keys(text), "Quit", "Keep watching", self._leave_job
            )
            return
        is_open = self.state.base is not None
        if isinstance(activity, JobProgress) and (is_open or activity.batch is not None):
            if isinstance(app.screen, Question):
                return
            recorded = is_open and activity.epoch is not None
            lost = (
                with_keys("its run can be resumed later ({open-history}).")
                if recorded
                else "will be discarded."
            )
            title = activity.title[:1].upper() + activity.title[1:]
            text = f"Quit? {title} is still running and {lost}"
            self.session.confirm_while_it_runs(text, "Quit", "Keep running", app.exit)
        else:
            app.exit()
