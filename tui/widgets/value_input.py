"""The input line for an exact sparsity, checked with every key."""

import re

from textual.message import Message

from tui.widgets.line_input import LineInput


class ValueInput(LineInput):
    """Enter applies the value, escape cancels."""

    class Taken(Message):
        """A sparsity was typed for the layers with these indices, as a fraction."""

        def __init__(self, layers: tuple[int, ...], sparsity: float) -> None:
            super().__init__()
            self.layers = layers
            self.sparsity = sparsity

    class Left(Message):
        """The line was left without a value."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: tuple[int, ...] = ()
        self._floor = 0.0

    def ask(self, layers: tuple[int, ...], name: str, floor: float, first: str) -> None:
        """Show the line with the first digit typed; `layers` come back with the value.

        Args:
            layers: indices of those that it is for.
            name: what they are called.
            floor: the least of their floors.
            first: the digit.
        """
        self._layers = layers
        self._floor = 100 * floor
        self.open(f"sparsity of {name} in %", first)

    def look_at(self, text: str) -> None:
        """Say at once whether it can be taken."""
        _, problem = self._read(text)
        self.hint(problem or "Enter apply · Esc cancel", wrong=bool(problem))

    def take(self, text: str) -> None:
        """Take the value, where it is one."""
        value, problem = self._read(text)
        if not problem:
            self.close()
            self.post_message(self.Taken(self._layers, round(value / 100, 4)))

    def leave(self) -> None:
        """Close without a value."""
        self.close()
        self.post_message(self.Left())

    def _read(self, text: str) -> tuple[float, str]:
        """The percentage, and what is wrong with it."""
        if not re.fullmatch(r"\d{1,3}(\.\d{0,2})?", text):
            return 0.0, "expected a number from 0 to 100, up to two decimals"
        value = float(text)
        if value > 100:
            return value, "expected at most 100"
        if value < self._floor - 0.005:
            return value, f"not below the floor, {self._floor:.2f}"
        return value, ""
