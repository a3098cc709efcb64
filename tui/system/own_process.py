"""This program in a process of its own."""

import sys
from collections.abc import Sequence

START = "import sys; from tui.cli.main import main; sys.exit(main())"
"""What the command `featherweight` does."""


def own_command(words: Sequence[str]) -> list[str]:
    """The command that starts this program, as it is installed here, with these words."""
    return [sys.executable, "-P", "-c", START, *words]  # -P: what lies in this folder stays out
