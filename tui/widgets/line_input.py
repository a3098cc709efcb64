"""An input line with a prompt and a hint."""

from abc import abstractmethod

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Label


class LineInput(Horizontal):
    """Hidden until `open`; subclasses define what enter, escape and other keys do."""

    BINDINGS = [Binding("escape", "leave", "leave", show=False)]
    MOST = 200
    """Characters that may be typed or pasted."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False

    def compose(self) -> ComposeResult:
        """A prompt, the input, and a hint."""
        yield Label(classes="line--prompt", markup=False)
        yield Input(compact=True, select_on_focus=False, max_length=self.MOST)
        yield Label(classes="line--hint", markup=False)

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        self.query_one(Input).cursor_blink = False

    def open(self, prompt: str, text: str) -> None:
        """Show the line with a text in it, to go on with."""
        self.query_one(".line--prompt", Label).update(f"  {prompt}: ")
        self.display = True
        box = self.query_one(Input)
        box.value = text
        box.cursor_position = len(text)
        self.screen.set_focus(box)

    def type(self, character: str) -> None:
        """Type a character that was pressed before the line had the focus."""
        self.query_one(Input).insert_text_at_cursor(character)

    def hint(self, text: str, wrong: bool) -> None:
        """Say something of what has been typed."""
        label = self.query_one(".line--hint", Label)
        label.update(text)
        label.set_class(wrong, "wrong")

    def close(self) -> None:
        """Hide the line."""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """A key changed the text."""
        event.stop()
        if self.display:
            self.look_at(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.take(event.value)

    def on_descendant_blur(self) -> None:
        """Close when the keys go elsewhere: it must not swallow what it cannot see."""
        if self.display:
            self.turn_away(self.query_one(Input).value)

    def action_leave(self) -> None:
        """Escape."""
        if self.display:
            self.leave()

    def look_at(self, text: str) -> None:
        """Answer a key."""

    @abstractmethod
    def take(self, text: str) -> None:
        """Take what was typed, where that can be."""

    @abstractmethod
    def leave(self) -> None:
        """Close without it."""

    def turn_away(self, text: str) -> None:
        """Close, as the keys have gone elsewhere."""
        self.leave()
