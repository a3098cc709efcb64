"""The input line for a note."""

from textual.message import Message

from core.experiments.runs import NOTE_LIMIT, Run
from tui.widgets.line_input import LineInput


class NoteInput(LineInput):
    """Enter saves the note, escape cancels."""

    HELP = """
    # A note
    Type what you want to remember about the run. Enter saves it, Esc cancels;
    an empty note removes it.
    """

    MOST = NOTE_LIMIT

    class Taken(Message):
        """A note was typed for a run."""

        def __init__(self, run: Run, text: str) -> None:
            super().__init__()
            self.run = run
            self.text = text

    class Left(Message):
        """The line was left, and the note is to stay."""

    def __init__(self) -> None:
        super().__init__()
        self._run: Run | None = None

    def ask(self, run: Run) -> None:
        """Show the line with the run's note as it is."""
        self._run = run
        self.open(f"note for run {run.id}", _on_one_line(run.note))

    def take(self, text: str) -> None:
        """Take the note; one that nobody changed keeps its lines."""
        run = self._run
        if run is None or text == _on_one_line(run.note):
            self.leave()
        else:
            self.close()
            self.post_message(self.Taken(run, text))

    def leave(self) -> None:
        """Close without a change."""
        self.close()
        self.post_message(self.Left())


def _on_one_line(note: str) -> str:
    return " ".join(note.split())
