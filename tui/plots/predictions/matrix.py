"""The confusion matrix as text: the current counts, and where they have grown."""

import math

import numpy as np

from tui.plots.drawing.numbers import count
from tui.plots.predictions.mixups import Mixups
from tui.plots.predictions.ranking import recall, recall_width
from tui.text.lines import Line, Lines, Span, header

MORE, FEWER = "↑", "↓"
_NONE = "·"
# As wide as the recall of a class that is always right.
_LEAST = len(" 100%")
_RECALL = "recall"
_GAP = 2


def matrix_size(mixups: Mixups) -> tuple[int, int]:
    """Return the matrix's size in cells, width and height."""
    classes = len(mixups.classes)
    return _margin(mixups) + classes * _cell(mixups) + _beside(mixups), classes + 1


def draw_matrix(mixups: Mixups) -> Lines:
    """Draw a row for each class, with its recall at the end."""
    margin, cell, width = _margin(mixups), _cell(mixups), matrix_size(mixups)[0]
    names = "".join(f"{name[: cell - 2]:>{cell - 1}} " for name in mixups.classes)
    title = " " * margin + names + _RECALL.rjust(_beside(mixups))
    lines: list[Line] = [*header([Span(title, "label")], (), width, 1)]
    for index, name in enumerate(mixups.classes):
        start, space = Span(name.ljust(margin), "label"), Span(" " * _GAP, "plain")
        spans = (start, *_row(mixups, index, cell), space, *recall(mixups, index))
        lines += header(spans, (), width, 1)
    return tuple(lines)


def _row(mixups: Mixups, true: int, cell: int) -> list[Span]:
    worst = (mixups.after - mixups.before).max() if mixups.compared else 0
    share = mixups.recalls[1][true]
    spans = []
    for answer in range(len(mixups.classes)):
        before, after = mixups.before[true, answer], mixups.after[true, answer]
        mark = " " if before == after else MORE if after > before else FEWER
        text, role = (count(after) if after or before else _NONE) + mark, "label"
        if true == answer:
            text, role = f"{math.floor(share)}%" if share == share else _NONE, "pending"
        elif after <= before:
            role = "right" if after < before else "pending"
        elif after - before >= worst / 3:
            role = "wrong"
        spans.append(Span(text.rjust(cell), role))
    return spans


def _margin(mixups: Mixups) -> int:
    return max(map(len, mixups.classes)) + 1


def _beside(mixups: Mixups) -> int:
    return _GAP + recall_width(mixups)


def _cell(mixups: Mixups) -> int:
    """Return the cells of a count: its figures, a mark, and what keeps it from the next."""
    others = ~np.eye(len(mixups.classes), dtype=bool)
    most = max(counts[others].max(initial=0) for counts in (mixups.before, mixups.after))
    return max(_LEAST, len(count(most)) + 2)
