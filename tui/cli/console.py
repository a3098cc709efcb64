"""The console that every command prints its results on."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from tui.text.encodings import in_encoding
from tui.text.outside import printable


class _PlainConsole(Console):
    """Prints text, also in cells of tables, as it is: no markup, no controls, any encoding."""

    def render_str(self, text: str, *, style: Any = "", **options: Any) -> Text:
        """Turn a string into rich's text."""
        shown = in_encoding(printable(text), self.encoding)
        return Text(shown, style, justify=options.get("justify"), overflow=options.get("overflow"))

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        """Turn anything into segments; those of rich's own texts are made harmless here."""
        for text, style, control in super().render(renderable, options):
            shown = text if control else "\n".join(map(printable, text.split("\n")))
            yield Segment(shown, style, control)


def console_for(json: str | None) -> Console:
    """The console of a command; people read standard error while JSON has standard output."""
    return _PlainConsole(stderr=json == "-", highlight=False, soft_wrap=True)
