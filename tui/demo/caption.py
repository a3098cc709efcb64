"""The strip with the caption: the last row of every screen, which makes room for it."""

from rich.cells import cell_len, set_cell_size
from textual.widgets import Static

TAKE_OVER = "any other key takes over"
HINTS = (f"Space pauses · {TAKE_OVER}", "Space pauses · other keys stop", "Space pauses", "")
PAUSED_HINTS = (
    f"Space continues · {TAKE_OVER}",
    "Space continues · other keys stop",
    "Space continues",
    "",
)
MARGIN, GAP = 1, 2


class Caption(Static):
    """One line: what is happening, and the keys of the demo where there is room."""

    DEFAULT_CSS = """
    Caption {
        dock: bottom; height: 1; width: 100%; text-style: bold;
        background: $block-cursor-background; color: $block-cursor-foreground;
    }
    Caption:ansi { background: ansi_default; color: ansi_default; text-style: bold reverse; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said: tuple[str, tuple[str, ...]] = ("", ("",))

    def say(self, text: str, hints: tuple[str, ...]) -> None:
        """Show a text, and the longest hint that fits beside it."""
        if (text, hints) != self._said:
            self._said = text, hints
            self._draw()

    def on_resize(self) -> None:
        """Fill the new width."""
        self._draw()

    def _draw(self) -> None:
        self.update(line(*self._said, self.app.size.width))


def line(text: str, hints: tuple[str, ...], width: int) -> str:
    """The text at the left and, at the right, the first of the hints that fits.

    Widths are in cells, of which a wide character, such as in the path of a file, takes two.
    """
    room = width - 2 * MARGIN
    cells = cell_len(text)
    hint = next((hint for hint in hints if cells + GAP + len(hint) <= room), "")
    shown = text if cells <= room else f"{set_cell_size(text, room - 1)}…"
    return f" {set_cell_size(shown, room - len(hint))}{hint} "
