"""The history screen: browse, annotate and delete runs, and continue from one."""

from functools import partial

from textual import events

from core.experiments.runs import RUNNING, Run
from tui.jobs import history_jobs as jobs
from tui.keys.history_keys import KEYS
from tui.keys.keymap import with_keys
from tui.plots.subject import PlotSubject
from tui.screens.help.screen import HelpScreen
from tui.screens.help.sections import context
from tui.screens.history.help import history_help
from tui.screens.history.panes import HistoryPanes
from tui.screens.plot import PlotScreen
from tui.screens.question import Question
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, why_incomparable
from tui.text.lines import Span
from tui.views.run_table import score_of, sortable
from tui.widgets.inputs.note_input import NoteInput
from tui.widgets.run_table import RunTable


class HistoryScreen(HistoryPanes):
    """Returns the run to restore or resume."""

    KEYS = KEYS

    @property
    def is_modal(self) -> bool:
        """Disable the keys of the screens below."""
        return True

    def on_screen_resume(self) -> None:
        """Read the runs, and again whenever the screen is resumed."""
        self.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Disable keys while a note is typed."""
        return not (self.typing and any(key.name == action for key in KEYS))

    async def on_key(self, event: events.Key) -> None:
        """Handle keys in the order they arrive.

        The app looks for bindings only after this screen has seen all keys that arrived together:
        the letters of a note would miss its input line, and Backspace would delete a run.
        """
        if self.app.screen is not self:  # a dialog has opened since
            return
        if self.typing and event.is_printable and event.character:
            self.query_one(NoteInput).type(event.character)
        elif self.typing or not await self._act(event.key):
            return
        event.stop()
        event.prevent_default()

    async def _act(self, key: str) -> bool:
        """Run the action of a key of the history; returns whether it is one."""
        actions = {name: own.action for own in KEYS for name in own.keys.split(",")}
        if key == "x" and key not in actions:
            text = (
                "{stop} stops a job on the main screen; to delete the run, press {history.delete}"
            )
            self.say(with_keys(text), "plain")
        action = actions.get(key)
        return action is not None and await self.app.run_action(action, self)

    def action_move(self, steps: int) -> None:
        """Select a run above or below."""
        self._browse(self.run_list.move(steps))

    def action_page(self, pages: int) -> None:
        """Select a run pages away."""
        self._browse(self.run_list.move(pages * max(1, self.query_one(RunTable).inner[1] - 1)))

    def action_to(self, index: int) -> None:
        """Select the first run, or with -1 the last."""
        self._browse(self.run_list.to(index % max(1, len(self.run_list.rows or ()))))

    def action_sort(self) -> None:
        """Sort by the next visible column."""
        self._browse(
            self.run_list.sort_by_next(sortable(self.run_list, self.query_one(RunTable).inner[0]))
        )

    def action_reverse(self) -> None:
        """Reverse the sort order."""
        self._browse(self.run_list.reverse())

    def action_mark(self) -> None:
        """Mark the run for comparison, or unmark it."""
        row = self.run_list.selected
        if row is not None and not self.run_list.marked and (why := why_incomparable(row)):
            self.say(why, "warning")
        elif row is not None:
            self._browse(self.run_list.mark())

    def action_next_view(self) -> None:
        """Show the next view of two runs, or the accuracy on the other split."""
        self._browse(self.run_list.next_view())

    def action_full_screen(self) -> None:
        """Show the plot on the whole screen."""
        from tui.views.run_plots import PLOT_VIEWS, run_subject  # late: it loads NumPy

        if not self.run_list.rows:
            return
        views = self._views()
        shown = next((at for at, name in enumerate(PLOT_VIEWS) if name in views), 0)

        def step(steps: int) -> None:
            nonlocal shown
            if self.run_list.compared is None:
                self.action_next_view()
            shown = (shown + steps) % len(PLOT_VIEWS)
            if PLOT_VIEWS[shown] == "weights":
                self.read_weights()

        def subject() -> PlotSubject:
            return run_subject(self.run_list, self.dense, self.weights, PLOT_VIEWS[shown])

        self.app.push_screen(PlotScreen(subject, step))

    def action_layer(self, steps: int) -> None:
        """Compare another layer."""
        if self.run_list.compared is not None:
            self._browse(self.run_list.choose_layer(steps))

    def action_open(self) -> None:
        """Close with the run, if it can be restored or resumed."""
        row = self.run_list.selected
        if row is not None and row.openable:
            self.dismiss(row.run)

    def action_help(self) -> None:
        """Show every key and every symbol."""
        self.app.push_screen(HelpScreen((*context(self), *history_help())))

    def action_note(self) -> None:
        """Open the line for a note."""
        if (row := self.run_list.selected) is not None:
            self.message = None
            self.query_one(NoteInput).ask(row.run, partial(self._annotate, row.run))
            self.show()

    def _annotate(self, run: Run, text: str | None) -> None:
        """Save a note, if it has changed."""
        self.query_one(RunTable).focus()
        if text is None:
            self.show()
        else:
            work = partial(jobs.annotate, self.experiment, run, text)
            self.change(f"saving the note for run {run.id}", work)

    def action_delete(self) -> None:
        """Ask whether to delete the run."""
        row = self.run_list.selected
        if row is None:
            return
        if row.status == RUNNING:
            self.say(f"run {row.id} is running: stop it before deleting it", "warning")
            return
        question = Question(self._question(row), "Delete it", "Keep it")
        self.app.push_screen(question, partial(self._delete, row))

    def _question(self, row: RunRow) -> str:
        ratio = None if row.ratio is None else f"{row.ratio:,.1f}x"
        accuracy = f"{score_of(row, self.run_list.split)} %" if row.accuracy else None
        details = ", ".join(filter(None, (ratio, accuracy)))
        text = f"Delete run {row.id} ({details})?" if details else f"Delete run {row.id}?"
        children = [other.id for other in self.run_list.rows or () if other.base == row.id]
        if children:
            more = f" and {len(children) - 3} more" if len(children) > 3 else ""
            text += f"\nRuns that started from its net are kept: {', '.join(children[:3])}{more}."
        return text

    def _delete(self, row: RunRow, sure: bool | None) -> None:
        if sure:
            work = partial(jobs.delete, self.experiment, row.run)
            self.change(f"deleting run {row.id}", work)

    def on_run_table_clicked(self, message: RunTable.Clicked) -> None:
        """Select the clicked run; continue from it on a double-click."""
        self._browse(self.run_list.to(message.index))
        if message.twice:
            self.action_open()

    def on_run_table_scrolled(self, message: RunTable.Scrolled) -> None:
        """Select the run the wheel moved to."""
        self.action_move(message.steps)

    def _browse(self, run_list: RunList) -> None:
        self.run_list, self.message = run_list, None
        self.show()

    def say(self, text: str, role: str) -> bool:
        """Show a message in place of the hint about the selected run."""
        self.message = Span(text, role)
        self.show()
        return True
