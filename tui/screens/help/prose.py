"""Running text with the keys in force, which stand out."""

from tui.keys.keymap import with_keys
from tui.text.lines import Line, Lines, Span, wrap_cells

_MARK = "\u2063"
"""Around each key while lines are broken: an invisible character that no text has."""


def prose(text: str, width: int) -> Lines:
    """A text in lines of a width, with the keys of the actions that it names in braces."""
    marked = with_keys(text, _MARK)
    lines, is_key = list[Line](), False
    for row in wrap_cells(marked, width):
        spans = []
        for number, part in enumerate(row.split(_MARK)):
            is_key ^= number > 0
            spans.append(Span(part, "chosen" if is_key else "plain"))
        lines.append(tuple(span for span in spans if span.text))
    return tuple(lines)
