"""The input line for finding layers, updated with every key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from tui.state.layer_rows import matches
from tui.text.format import plural
from tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from core.nets.layers import Layer


class FindInput(LineInput):
    """Enter keeps the list, escape lists all layers again."""

    HELP = """
    # Finding layers
    Type part of a name, a kind such as conv, depthwise or linear, a shape such as 3x3, or several
    of these. Enter keeps the list, Esc lists all layers again.
    """

    class Typed(Message):
        """The layers that match this are to be listed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Taken(Message):
        """What is listed is to stay."""

    class Left(Message):
        """All layers are to be listed."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: Sequence[Layer] = ()

    def ask(self, layers: Sequence[Layer], text: str) -> None:
        """Show the line with what is looked for now."""
        self._layers = layers
        self.open("find layers", text)
        self.look_at(text)

    def look_at(self, text: str) -> None:
        """List what matches, and say how many that are."""
        found, all_of_them = self._found(text), plural(len(self._layers), "layer")
        if found:
            self.hint(f"{found} of {len(self._layers)} · Enter", wrong=False)
        else:
            self.hint(f"none of {all_of_them}: try conv or 3x3", wrong=True)
        self.post_message(self.Typed(text))

    def take(self, text: str) -> None:
        """Keep what is listed, where that is something."""
        if self._found(text):
            self.close()
            self.post_message(self.Taken())

    def leave(self) -> None:
        """List all layers again."""
        self.close()
        self.post_message(self.Left())

    def turn_away(self, text: str) -> None:
        """Keep what is listed, where that is something."""
        self.take(text)
        if self.display:
            self.leave()

    def _found(self, text: str) -> int:
        return sum(matches(layer, text) for layer in self._layers)
