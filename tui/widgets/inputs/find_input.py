"""The input line for finding layers, updated with every key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.state.layer_rows import matches
from tui.widgets.inputs.line_input import LineInput

if TYPE_CHECKING:
    from core.nets.layers import Layer


class FindInput(LineInput):
    """Enter selects the layers found, Esc lists all layers again."""

    HELP = """
    # Finding layers
    Type part of a name, a kind such as conv, depthwise or linear, a shape such as 3x3, or several
    of these. Enter selects the layers found, Esc lists all layers again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._layers: Sequence[Layer] = ()
        self._filter_by: Callable[[str], None]

    def ask(
        self,
        layers: Sequence[Layer],
        text: str,
        filter_by: Callable[[str], None],
        take: Callable[[str | None], None],
    ) -> None:
        """Show the line with the current search; `filter_by` gets every text that is typed."""
        self._layers, self._filter_by = layers, filter_by
        self.open("find layers", text, take)
        self.check(text)

    def check(self, text: str) -> None:
        """List the matching layers, and show how many there are."""
        count, layers = self._count(text), len(self._layers)
        if count:
            self.hint(f"{count} of {layers} · Enter", wrong=False)
        else:
            self.hint("no match: try conv or 3x3", wrong=True)
        self._filter_by(text)

    def take(self, text: str) -> None:
        """Take the layers found, if there are any."""
        if self._count(text):
            self.close(text)

    def blurred(self, text: str) -> None:
        """Keep the list, unless it is empty."""
        self.close(text if self._count(text) else None)

    def _count(self, text: str) -> int:
        return sum(matches(layer, text) for layer in self._layers)
