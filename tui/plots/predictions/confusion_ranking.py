"""What pruning made worse: confused pairs of classes, and the recall of each class."""

from collections.abc import Sequence

import numpy as np

from tui.plots.drawing.numbers import aligned, count
from tui.plots.predictions.confusion_numbers import Confusion, Confusions
from tui.text.lines import Line, Lines, Span, blank, header, shortened

BEFORE, AFTER = "░", "█"
_ARROW = " → "
_RAMP = "▏▎▍▌▋▊▉█"
_LEAST_BAR = 6
_GAP = 3


def draw_pairs(confusions: Confusions, width: int, height: int, net: str = "pruned") -> Lines:
    """Draw the confusions that grew most as bars, before in front of after; `net` is a role."""
    worst = confusions.worst(height)
    if not worst:
        text = "no new confusions" if confusions.compared else "no classes are confused"
        return (*header([Span(text, "right")], (), width, 1), *blank(width, height - 1))
    before, after = [count(one.before) for one in worst], [count(one.after) for one in worst]
    columns = [before, ["→"] * len(worst), after] if confusions.compared else [after]
    numbers = aligned(columns)
    names = _names(worst, width - len(numbers[0]) - 1)
    longest = max(map(len, names))
    room = width - longest - 1 - len(numbers[0])
    top = max(max(one.before, one.after) for one in worst)
    lines: list[Line] = []
    for one, name, number in zip(worst, names, numbers, strict=True):
        bar = _bar(one, top, room, confusions.alone, net) if room >= _LEAST_BAR else ()
        spans = (Span(f"{name:<{longest}} ", "label"), *bar, Span(number, "label"))
        lines += header(spans, (), width, 1)
    return (*lines, *blank(width, height - len(lines)))


def _names(pairs: Sequence[Confusion], width: int) -> list[str]:
    """The classes of each pair, both shortened alike where they are too long."""
    classes = list(dict.fromkeys(name for pair in pairs for name in pair[:2]))
    short = dict(zip(classes, shortened(classes, max(1, (width - len(_ARROW)) // 2)), strict=True))
    return [f"{short[pair.true]}{_ARROW}{short[pair.predicted]}" for pair in pairs]


def draw_recalls(confusions: Confusions, width: int, height: int) -> Lines:
    """Draw the recall of each class or, if not all fit, of those that lost most.

    Lines are as wide as needed; empty if there is no room.
    """
    cell = max(map(len, confusions.classes)) + 1 + recall_width(confusions) + _GAP
    columns = min((width + _GAP) // cell, -(-len(confusions.classes) // max(1, height)))
    before, after = confusions.recalls
    order = range(len(confusions.classes))
    if columns * height < len(order):
        order = np.argsort(np.nan_to_num(after - before), kind="stable").tolist()
    shown = list(order)[: max(0, columns * height)]
    total = max(0, columns * cell - _GAP)
    lines: list[Line] = []
    for row in range(height):
        spans: list[Span] = []
        for index in shown[row::height]:
            name = confusions.classes[index].ljust(cell - _GAP - recall_width(confusions))
            spans += [Span(" " * _GAP * bool(spans) + name, "label"), *recall(confusions, index)]
        lines += header(spans, (), total, 1) if spans else blank(total, 1)
    return tuple(lines)


def recall(confusions: Confusions, index: int) -> Line:
    """Format a class's recall."""
    before, after = (_share(recalls[index]) for recalls in confusions.recalls)
    role = "wrong" if index in confusions.lost() else "label"
    first = (Span(f"{before:>5} → ", "muted"),) if confusions.compared else ()
    return (*first, Span(f"{after:>5}", role))


def recall_width(confusions: Confusions) -> int:
    """Return how many cells a recall takes."""
    return 13 if confusions.compared else 5


def _share(value: float) -> str:
    return f"{value:.1f}" if value == value else "-"


def _bar(one: Confusion, top: float, cells: int, alone: str, net: str) -> Line:
    steps = min(max(1, round(one.after / top * cells * len(_RAMP))), cells * len(_RAMP))
    full, rest = divmod(steps, len(_RAMP))
    bar = (AFTER * full + _RAMP[rest - 1 : rest] * (rest > 0)).ljust(cells)
    old = 0 if alone else min(round(one.before / top * cells), full)
    return Span(BEFORE * old, "dense"), Span(bar[old:], "dense" if alone == "dense" else net)
