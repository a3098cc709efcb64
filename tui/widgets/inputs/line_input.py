"""An input line with a prompt and a hint."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.widgets import Input, Label


class SteadyInput(Input):
    """An input for slow connections.

    Its cursor does not blink, which would write to an idle terminal. Keys act in the order they
    were typed: Textual inserts a character at once but runs the actions of other keys, such as
    backspace, only after their events have bubbled up to the app.
    """

    cursor_blink = reactive(False, init=False)

    async def _on_key(self, event: events.Key) -> None:
        if action := _ACTIONS.get(event.key):
            event.prevent_default().stop()
            await self.run_action(action)


_ACTIONS = {
    key: binding.action
    for binding in Binding.make_bindings(Input.BINDINGS)
    for key in binding.key.split(",")
}
"""The action of each key that edits or submits the text."""


class _LineBox(SteadyInput):
    """The input of a line; keys queued after the one that closes it go on to the screen."""

    BINDINGS = [Binding("escape", "leave", "cancel", show=False)]

    def __init__(self, line: "LineInput") -> None:
        super().__init__(compact=True, select_on_focus=False, max_length=line.MOST)
        self.line = line

    async def _on_key(self, event: events.Key) -> None:
        if not self.line.display:
            event.prevent_default()
        elif event.key == "escape":
            event.prevent_default().stop()
            self.action_leave()

    async def action_submit(self) -> None:
        """Take the text, if it is valid."""
        self.line.take(self.value)

    def action_leave(self) -> None:
        """Close without a value."""
        self.line.close()


class LineInput(Horizontal):
    """Hidden until `open`; subclasses define what Enter does, and whether a text is valid."""

    MOST = 200
    """Maximum characters, typed or pasted."""

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._take: Callable[[Any], None]

    def compose(self) -> ComposeResult:
        """A prompt, the input, and a hint."""
        yield Label(classes="line--prompt", markup=False)
        yield _LineBox(self)
        yield Label(classes="line--hint", markup=False)

    def open(self, prompt: str, text: str, take: Callable[[Any], None]) -> None:
        """Show the line with a text to edit; `take` gets its value, or None if canceled."""
        self._take = take
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
        """Show a hint about the text."""
        label = self.query_one(".line--hint", Label)
        label.update(text)
        label.set_class(wrong, "wrong")

    def close(self, value: object = None) -> None:
        """Hide the line, and pass its value on; None if canceled."""
        if self.display:
            self.display = False
            if self.is_attached:  # a hidden input would still get the next key
                self.screen.set_focus(None)
            self._take(value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the new text."""
        event.stop()
        if self.display:
            self.check(event.value)

    def on_descendant_blur(self) -> None:
        """Close when the focus moves elsewhere: it must not swallow keys unseen."""
        if self.display:
            self.blurred(self.query_one(Input).value)

    def check(self, text: str) -> None:
        """Respond to a changed text."""

    @abstractmethod
    def take(self, text: str) -> None:
        """Close with the value of a text, if it is valid."""

    def blurred(self, text: str) -> None:
        """Close because the focus moved elsewhere."""
        self.close()
