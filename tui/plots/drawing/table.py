"""Tables of texts: a name and right-aligned columns."""

from collections.abc import Iterable, Sequence

from tui.text.lines import Line, Span, cut

_GAP = 2


def column_widths(columns: Iterable[Sequence[str]], room: int) -> list[int]:
    """Return the widths of the first columns, as many as fit but at least one."""
    widths = [max(map(len, column)) for column in columns]
    while len(widths) > 1 and sum(_GAP + cells for cells in widths) > room:
        del widths[-1]
    return widths


def table_row(
    name: str, cells: Iterable[str], widths: Sequence[int], role: str, width: int
) -> Line:
    """Return a padded name and its cells in a row of exactly `width`."""
    text = name + "".join(map(table_cell, cells, widths))
    return (Span(cut(text, width).ljust(width), role),)


def table_cell(text: str, width: int) -> str:
    """Align a text in its column, after a gap."""
    return " " * _GAP + text.rjust(width)
