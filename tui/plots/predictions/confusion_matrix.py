"""The confusion matrix as a heat map: counts on colors, marked if they grew or shrank.

The color of a cell is its share of the images of the true class; a shade where there is no room for
counts.
"""

import math
from collections.abc import Iterator

import numpy as np

from tui.plots.drawing.numbers import count
from tui.plots.predictions.confusion_numbers import Confusions
from tui.plots.predictions.confusion_ranking import recall, recall_width
from tui.text.lines import Line, Lines, Span, header, shortened

MORE, FEWER = "↑", "↓"
SHARES = ((0.5, "heat-none"), (2.0, "heat-low"), (10.0, "heat-over"))
"""Roles of confusions below these shares of a class in percent; all larger ones are `heat-far`."""

_NONE = "·"
_SHADES = {"heat-none": "░", "heat-low": "▒", "heat-over": "▓", "heat-far": "█"}
_SHADE = 2
# The width of a perfect recall.
_LEAST = len(" 100%")
_GAP = 2


def matrix_size(confusions: Confusions, shaded: bool = False) -> tuple[int, int]:
    """Return the matrix's size in cells, width and height."""
    classes = len(confusions.classes)
    cells = classes * _cell(confusions, shaded)
    return _margin(confusions) + cells + _beside(confusions), classes + 1


def draw_matrix(
    confusions: Confusions,
    shaded: bool = False,
    cursor: tuple[int, int] | None = None,
    tall: int = 1,
) -> Lines:
    """Draw a row for each class, with its recall at the end; `cursor` is a true and another class.

    If `shaded`, cells have no counts. A row takes `tall` lines.
    """
    margin, cell = _margin(confusions), _cell(confusions, shaded)
    width, (true, other) = matrix_size(confusions, shaded)[0], cursor or (-1, -1)
    names = [f"{name:>{cell - 1}} " for name in shortened(confusions.classes, cell - 1)]
    heads = [Span(name, "cursor" if at == other else "label") for at, name in enumerate(names)]
    title = Span(" " * margin, "label"), *heads, Span("recall".rjust(_beside(confusions)), "label")
    lines: list[Line] = [*header(title, (), width, 1)]
    row = _shades if shaded else _counts
    for index, name in enumerate(confusions.classes):
        start = Span(name.ljust(margin), "cursor" if index == true else "label")
        cells = list(row(confusions, index, cell))
        if index == true and 0 <= other < len(cells):
            cells[other] = cells[other]._replace(role="cursor")
        spans = (start, *cells, Span(" " * _GAP, "plain"), *recall(confusions, index))
        line = header(spans, (), width, 1)
        above = (tall - 1) // 2
        lines += [*(_colors(line[0]) * above), *line, *(_colors(line[0]) * (tall - 1 - above))]
    return tuple(lines)


def _colors(line: Line) -> Lines:
    """A line that continues the colors of the cells of another one."""
    roles = (span.role if span.role.startswith("heat") else "plain" for span in line)
    spaces = (Span(" " * len(span.text), role) for span, role in zip(line, roles, strict=True))
    return (tuple(spaces),)


def heat(share: float) -> str:
    """Return the role of a share of a class in percent."""
    return next((role for below, role in SHARES if share < below), "heat-far")


def shade(share: float) -> str:
    """Return the character of a share of a class in percent."""
    return _SHADES[heat(share)]


def _counts(confusions: Confusions, true: int, cell: int) -> Iterator[Span]:
    share = confusions.recalls[1][true]
    for predicted in range(len(confusions.classes)):
        before, after = confusions.before[true, predicted], confusions.after[true, predicted]
        mark = " " if before == after else MORE if after > before else FEWER
        if true == predicted:
            text = f"{math.floor(share)}%" if share == share else _NONE
            yield Span(text.rjust(cell), "label")
        elif after:
            yield Span((count(after) + mark).rjust(cell), heat(_share(confusions, true, predicted)))
        elif before:
            yield Span(("0" + mark).rjust(cell), "right")
        else:
            yield Span((_NONE + mark).rjust(cell), "muted")


def _shades(confusions: Confusions, true: int, cell: int) -> Iterator[Span]:
    for predicted in range(len(confusions.classes)):
        role = heat(_share(confusions, true, predicted))
        if true == predicted:
            yield Span("\\".rjust(cell), "muted")
        elif confusions.after[true, predicted]:
            yield Span(_SHADES[role].rjust(cell), role)
        else:
            yield Span(_NONE.rjust(cell), "muted")


def _share(confusions: Confusions, true: int, predicted: int) -> float:
    return float(100 * confusions.after[true, predicted] / max(1, confusions.after[true].sum()))


def _margin(confusions: Confusions) -> int:
    return max(map(len, confusions.classes)) + 1


def _beside(confusions: Confusions) -> int:
    return _GAP + recall_width(confusions)


def _cell(confusions: Confusions, shaded: bool) -> int:
    """Return the width of a count: its digits, a mark and a gap; or of a shade."""
    if shaded:
        return max(_SHADE, min(3, max(map(len, confusions.classes)) + 1))
    others = ~np.eye(len(confusions.classes), dtype=bool)
    most = max(counts[others].max(initial=0) for counts in (confusions.before, confusions.after))
    return max(_LEAST, len(count(most)) + 2)
