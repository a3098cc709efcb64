"""The line in which an exact sparsity is typed, checked with every key."""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label


class ValueInput(Horizontal):
    """Hidden until `ask`; enter takes the value, escape leaves it."""

    BINDINGS = [Binding("escape", "leave", "leave", show=False)]

    class Taken(Message):
        """A sparsity was typed for the layer with this index, as a fraction."""

        def __init__(self, index: int, sparsity: float) -> None:
            super().__init__()
            self.index = index
            self.sparsity = sparsity

    class Left(Message):
        """The line was left without a value."""

    def __init__(self) -> None:
        super().__init__()
        self._index = 0
        self._floor = 0.0

    def compose(self) -> ComposeResult:
        """A prompt, the input, and what is wrong with it."""
        yield Label(id="value-prompt")
        yield Input(id="value", compact=True, select_on_focus=False)
        yield Label(id="value-hint")

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        self.query_one(Input).cursor_blink = False
        self.display = False

    def ask(self, index: int, layer: str, floor: float, first: str) -> None:
        """Show the line with the first digit typed; `index` comes back with the value."""
        self._index = index
        self._floor = 100 * floor
        self.query_one("#value-prompt", Label).update(f"  sparsity of {layer} in %: ")
        self.display = True
        box = self.query_one(Input)
        box.value = first
        box.cursor_position = len(first)
        self.screen.set_focus(box)

    def type(self, character: str) -> None:
        """Type a character that was pressed before the line had the focus."""
        self.query_one(Input).insert_text_at_cursor(character)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once whether it can be taken."""
        event.stop()
        _, problem = self._read(event.value)
        hint = self.query_one("#value-hint", Label)
        hint.update(problem or "enter takes it, escape leaves it")
        hint.set_class(bool(problem), "wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the value, where it is one."""
        event.stop()
        value, problem = self._read(event.value)
        if not problem:
            self.display = False
            self.post_message(self.Taken(self._index, round(value / 100, 4)))

    def on_descendant_blur(self) -> None:
        """Close when the keys go elsewhere: it must not swallow what it cannot see."""
        self.action_leave()

    def action_leave(self) -> None:
        """Close without a value."""
        if self.display:
            self.display = False
            self.post_message(self.Left())

    def _read(self, text: str) -> tuple[float, str]:
        """The percentage, and what is wrong with it."""
        if not re.fullmatch(r"\d{1,3}(\.\d{0,2})?", text):
            return 0.0, "a number from 0 to 100, up to two decimals"
        value = float(text)
        if value > 100:
            return value, "at most 100"
        if value < self._floor - 0.005:
            return value, f"the base has {self._floor:.2f} already: not less"
        return value, ""
