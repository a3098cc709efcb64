"""The input line for a note."""

from collections.abc import Callable

from core.experiments.runs import NOTE_LIMIT, Run
from tui.widgets.inputs.line_input import LineInput


class NoteInput(LineInput):
    """Enter saves the note, Esc cancels."""

    HELP = """
    # A note
    Type what you want to remember about the run. Enter saves it, Esc cancels;
    saving an empty note removes it.
    """

    MOST = NOTE_LIMIT
    _before = ""

    def ask(self, run: Run, take: Callable[[str | None], None]) -> None:
        """Show the line with the run's note; `take` gets None if it is unchanged."""
        self._before = " ".join(run.note.split())
        self.open(f"note for run {run.id}", self._before, take)

    def take(self, text: str) -> None:
        """Take the note; an unchanged one keeps its line breaks."""
        self.close(None if text == self._before else text)
