"""The dialog that asks for the lists of a sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Label

from core.events import StopFlag, Stream
from core.experiments.runs import Run
from tui.jobs.job import Job, JobEnded
from tui.screens.form_dialog import TITLE_WIDTH, FormDialog
from tui.state.sweep.form import SweepForm
from tui.text.lines import Span
from tui.widgets.inputs.line_input import SteadyInput
from tui.widgets.lines import LinesWidget

LONGEST = 200
"""Most characters of the ratios."""


class SweepDialog(FormDialog[SweepForm]):
    """Closes with the edited form.

    Args:
        runs: reads the runs of the experiment, in a thread, from which the time is estimated.
    """

    HELP = """
    # A sweep
    Fine-tunes the net to every ratio by every method, with every seed; each trial is a run in
    the history. Ratios are typed, separated by commas; the arrow keys choose a row and change
    its value. Enter starts the sweep in a process of its own, Esc cancels.
    """

    BINDINGS = [
        Binding("tab,down", "move(1)", "row below", priority=True),
        Binding("up", "move(-1)", "row above", priority=True),
        Binding("left", "change(-1)", "previous value", priority=True),
        Binding("right", "change(1)", "next value", priority=True),
    ]  # before the input line, which would take those that come before it has lost the focus
    AUTO_FOCUS = ""
    HINT = "↑↓ row · ←→ change · Enter start · Esc cancel"
    FIRST = 1

    def __init__(self, form: SweepForm, runs: Callable[[], tuple[Run, ...]]) -> None:
        super().__init__(form)
        self._read = runs
        self._runs: tuple[Run, ...] | None = None

    def above(self) -> ComposeResult:
        """The title, and a line for the ratios."""
        yield Label("Sweep: fine-tune to several ratios", classes="dialog--title", markup=False)
        with Horizontal(id="sweep-line"):
            yield LinesWidget(id="sweep-label")
            yield SteadyInput(self.form.ratios, id="sweep-ratios", compact=True, max_length=LONGEST)

    def on_mount(self) -> None:
        """Read the runs, which say how long training takes."""
        self.edit(self.form)

        def read(_stop: StopFlag) -> Stream[tuple[Run, ...]]:
            yield from ()
            return self._read()

        Job(read, self.app.post_message, self._take_runs).start()

    def _take_runs(self, ended: JobEnded) -> None:
        self._runs = ended.value or ()
        self.show()

    @property
    def hint(self) -> str:
        """How many trials there are and how long they take, and the keys."""
        preview = "" if self.form.problem else self.form.preview(self._runs)
        return "\n".join(filter(None, (preview, self.HINT)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take the ratios as they are typed."""
        event.stop()
        self.edit(replace(self.form, ratios=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the form as it is."""
        event.stop()
        self.action_take()

    def on_descendant_focus(self) -> None:
        """Select the ratios' row when it is clicked."""
        self.edit(replace(self.form, at=0))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys that change a value to the input line while it is selected."""
        if action == "change" and not self.form.at:
            return False
        return super().check_action(action, parameters)

    def edit(self, form: SweepForm) -> None:
        """Replace the form; only its first row can be typed in."""
        super().edit(form)
        self.set_focus(None if form.at else self.query_one(Input))

    def show(self) -> None:
        """Show the rows, and whether the ratios' is selected."""
        super().show()
        if self.is_pushed:
            role, sign = ("plain", "  ") if self.form.at else ("chosen", "▶ ")
            line = (Span(sign, "chosen"), Span("ratios".ljust(TITLE_WIDTH), role))
            self.query_one("#sweep-label", LinesWidget).lines = (line,)
