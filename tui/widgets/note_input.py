"""The line in which a note is typed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from core.runs import NOTE_LIMIT, Run


class NoteInput(Horizontal):
    """Hidden until `ask`; enter takes the note, escape leaves it as it was."""

    HELP = """
    # A note
    Type what you want to remember of the run. enter saves it, escape leaves it as it was;
    an empty note is none.
    """

    BINDINGS = [Binding("escape", "leave", "leave", show=False)]

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

    def compose(self) -> ComposeResult:
        """A prompt and the input."""
        yield Label(id="note-prompt")
        yield Input(id="note", compact=True, select_on_focus=False, max_length=NOTE_LIMIT)

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        self.query_one(Input).cursor_blink = False
        self.display = False

    def ask(self, run: Run) -> None:
        """Show the line with the run's note as it is."""
        self._run = run
        self.query_one("#note-prompt", Label).update(f"  note of {run.id}: ")
        self.display = True
        box = self.query_one(Input)
        box.value = _on_one_line(run.note)
        box.cursor_position = len(box.value)
        self.screen.set_focus(box)

    def type(self, character: str) -> None:
        """Type a character that was pressed before the line had the focus."""
        self.query_one(Input).insert_text_at_cursor(character)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the note; one that nobody changed keeps its lines."""
        event.stop()
        run, self.display = self._run, False
        if run is None or event.value == _on_one_line(run.note):
            self.post_message(self.Left())
        else:
            self.post_message(self.Taken(run, event.value))

    def on_descendant_blur(self) -> None:
        """Close when the keys go elsewhere: it must not swallow what it cannot see."""
        self.action_leave()

    def action_leave(self) -> None:
        """Close without a change."""
        if self.display:
            self.display = False
            self.post_message(self.Left())


def _on_one_line(note: str) -> str:
    return " ".join(note.split())
