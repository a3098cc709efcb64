"""The confusion matrix as text: the current counts, marked if they grew or shrank."""

import math

import numpy as np

from tui.plots.drawing.numbers import count
from tui.plots.predictions.confusion_numbers import Confusions
from tui.plots.predictions.confusion_ranking import recall, recall_width
from tui.text.lines import Line, Lines, Span, header

MORE, FEWER = "↑", "↓"
_NONE = "·"
# The width of a perfect recall.
_LEAST = len(" 100%")
_GAP = 2


def matrix_size(confusions: Confusions) -> tuple[int, int]:
    """Return the matrix's size in cells, width and height."""
    classes = len(confusions.classes)
    return _margin(confusions) + classes * _cell(confusions) + _beside(confusions), classes + 1


def draw_matrix(confusions: Confusions) -> Lines:
    """Draw a row for each class, with its recall at the end."""
    margin, cell, width = _margin(confusions), _cell(confusions), matrix_size(confusions)[0]
    names = "".join(f"{name[: cell - 2]:>{cell - 1}} " for name in confusions.classes)
    title = " " * margin + names + "recall".rjust(_beside(confusions))
    lines: list[Line] = [*header([Span(title, "label")], (), width, 1)]
    for index, name in enumerate(confusions.classes):
        start, space = Span(name.ljust(margin), "label"), Span(" " * _GAP, "plain")
        spans = (start, *_row(confusions, index, cell), space, *recall(confusions, index))
        lines += header(spans, (), width, 1)
    return tuple(lines)


def _row(confusions: Confusions, true: int, cell: int) -> list[Span]:
    worst = (confusions.after - confusions.before).max() if confusions.compared else 0
    share = confusions.recalls[1][true]
    spans = []
    for predicted in range(len(confusions.classes)):
        before, after = confusions.before[true, predicted], confusions.after[true, predicted]
        mark = " " if before == after else MORE if after > before else FEWER
        text, role = (count(after) if after or before else _NONE) + mark, "label"
        if true == predicted:
            text, role = f"{math.floor(share)}%" if share == share else _NONE, "muted"
        elif after <= before:
            role = "right" if after < before else "muted"
        elif after - before >= worst / 3:
            role = "wrong"
        spans.append(Span(text.rjust(cell), role))
    return spans


def _margin(confusions: Confusions) -> int:
    return max(map(len, confusions.classes)) + 1


def _beside(confusions: Confusions) -> int:
    return _GAP + recall_width(confusions)


def _cell(confusions: Confusions) -> int:
    """Return the width of a count: its digits, a mark and a gap."""
    others = ~np.eye(len(confusions.classes), dtype=bool)
    most = max(counts[others].max(initial=0) for counts in (confusions.before, confusions.after))
    return max(_LEAST, len(count(most)) + 2)
