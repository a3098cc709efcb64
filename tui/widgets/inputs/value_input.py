"""The input line for an exact sparsity, checked with every key."""

import re
from collections.abc import Callable

from tui.widgets.inputs.line_input import LineInput


class ValueInput(LineInput):
    """Enter applies the value, Esc cancels."""

    HELP = """
    # An exact sparsity
    Type the percentage of weights to remove, with up to two decimals; not below the floor, the
    zeros that the base already has. Enter applies it, Esc leaves it as it was.
    """

    _floor = 0.0

    def ask(
        self, name: str, floor: float, digit: str, take: Callable[[float | None], None]
    ) -> None:
        """Show the line with the first digit typed; `take` gets the sparsity as a fraction.

        `name` is the name of the layers, `floor` the lowest of their floors.
        """
        self._floor = 100 * floor
        self.open(f"sparsity of {name} in %", digit, take)

    def check(self, text: str) -> None:
        """Show at once whether the value is valid."""
        _, problem = self._read(text)
        self.hint(problem or "Enter apply · Esc cancel", wrong=bool(problem))

    def take(self, text: str) -> None:
        """Take the value, if it is valid."""
        value, problem = self._read(text)
        if not problem:
            self.close(round(value / 100, 4))

    def _read(self, text: str) -> tuple[float, str]:
        """The percentage, and its problem."""
        if not re.fullmatch(r"\d{1,3}(\.\d{0,2})?", text):
            return 0.0, "expected 0 to 100, with up to two decimals"
        value = float(text)
        if value > 100:
            return value, "expected at most 100"
        if value < self._floor - 0.005:
            return value, f"expected at least the floor, {self._floor:.2f}"
        return value, ""
