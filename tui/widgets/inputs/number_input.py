"""The input line for the exact number of a setting, checked with every key."""

from collections.abc import Callable
from typing import TypeVar

from core.errors import InputError
from core.fields.declaration import Setting
from tui.widgets.inputs.line_input import LineInput

T = TypeVar("T")


class NumberInput(LineInput):
    """Enter takes the number, Esc leaves the setting as it was."""

    HELP = """
    # An exact number
    Type the value of the setting. Enter takes it, Esc leaves it as it was.
    """

    MOST = 12

    def ask(
        self,
        setting: Setting,
        digit: str,
        read: Callable[[str], T],
        take: Callable[[T | None], None],
        width: int,
    ) -> None:
        """Show the line, in a width, with the first digit typed.

        `read` makes of a text what `take` gets, or raises InputError.
        """
        self._setting, self._read, self._width = setting, read, width
        self.open(setting.label, digit, take)
        self.check(digit)

    def check(self, text: str) -> None:
        """Show at once whether the number is accepted, and which ones are."""
        try:
            self._read(text)
            self.hint("Enter take · Esc leave", wrong=False)
        except InputError as error:
            kind = self._setting.kind
            room = self._width - len(f"  {self._setting.label}:   ") - _BOX
            short = "whole, " * (kind.metavar == "N") + kind.values
            self.hint(str(error) if len(str(error)) <= room else short, wrong=True)

    def take(self, text: str) -> None:
        """Take the number, if it is accepted."""
        try:
            self.close(self._read(text))
        except InputError:
            return


_BOX = 10
"""The cells in which it is typed, as tui/featherweight.tcss has them."""
