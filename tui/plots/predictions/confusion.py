"""The confusion plot: which classes the dense and the pruned net confuse."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from tui.plots.drawing.numbers import count
from tui.plots.predictions.confusion_matrix import FEWER, MORE, draw_matrix, matrix_size
from tui.plots.predictions.confusion_numbers import Confusions
from tui.plots.predictions.confusion_ranking import AFTER, BEFORE, draw_pairs, draw_recalls
from tui.text.lines import Line, Lines, Span, beside, blank, clean, fits, header, note, width_of

_GAP = 4
# The least columns beside a matrix, and rows below it, for bars.
_LEAST, _LOWEST = 28, 4


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionData:
    """Data of the confusion plot.

    Attributes:
        dense: The dense net's counts [C, C], one row per class, one column per prediction.
        pruned: The pruned net's counts.
        caption: What the images are, such as `test images`.
        net: Name of the net compared with the dense one.
    """

    classes: tuple[str, ...]
    dense: ArrayLike | None = None
    pruned: ArrayLike | None = None
    caption: str = "images"
    images: int = 0
    net: str = "pruned"


def draw(data: ConfusionData, width: int, height: int, hint: str = "") -> Lines:
    """Draw a matrix if there is room, and what pruning made worse, worst first."""
    if not fits(width, height):
        return blank(width, height)
    confusions = Confusions.of(data.classes, data.dense, data.pruned)
    if confusions is None:
        return note(clean(hint), width, height)
    title = _title(data, confusions)
    net = clean(data.net)
    body = _matrix(confusions, net, width, height - 1) or _lists(confusions, net, width, height - 1)
    return header(title, (), width, 1) + body


def _matrix(confusions: Confusions, net: str, width: int, height: int) -> Lines:
    """Draw the matrix and the worst confusions; empty if there is no room for both."""
    needed, lines = matrix_size(confusions)
    legend = header(_marks(confusions), (), width, 1) if height > lines else ()
    height -= len(legend)
    room, below = width - needed - _GAP, height - lines - 1
    if room >= _LEAST and height >= lines:
        pairs = _pairs(confusions, net, room, height, headed=True)
        return (*legend, *beside(draw_matrix(confusions), pairs, width))
    if width >= needed and below >= _LOWEST:
        matrix = beside(draw_matrix(confusions), (), width)
        pairs = _pairs(confusions, net, width, below, headed=True)
        return (*legend, *matrix, *blank(width, 1), *pairs)
    return ()


def _lists(confusions: Confusions, net: str, width: int, height: int) -> Lines:
    """Draw the worst confusions, and the recalls beside them if there is room."""
    headed = height >= 7
    right = draw_recalls(confusions, width // 2, height - headed)
    needed = width_of(right[0]) if right else 0
    room = width - needed - _GAP
    if not needed or room < _LEAST:
        return _pairs(confusions, net, width, height, headed)
    title = header([Span("recall in %", "label")], (), needed, 1) if headed else ()
    return beside(_pairs(confusions, net, room, height, headed), (*title, *right), width)


def _pairs(confusions: Confusions, net: str, width: int, height: int, headed: bool) -> Lines:
    spans = [Span("true → predicted", "label")]
    if confusions.compared:
        spans += [Span(f"  {BEFORE} dense", "dense"), Span(f"  {AFTER} {net}", "pruned")]
    title = header(spans, (), width, 1) if headed else ()
    return (*title, *draw_pairs(confusions, width, height - len(title)))


def _title(data: ConfusionData, confusions: Confusions) -> Line:
    before, after = confusions.wrong
    images = count(max(data.images, 0) or float(confusions.after.sum()))
    of = Span(f" of {images} {clean(data.caption)}", "title")
    net = clean(data.net)
    if not confusions.compared:
        alone = net if confusions.alone == "pruned" else confusions.alone
        return Span(f"{alone}: {count(after)} wrong", confusions.alone), of
    dense = Span(f", dense: {count(before)}", "dense")
    return Span(f"{net}: {count(after)} wrong", "pruned"), of, dense


def _marks(confusions: Confusions) -> Line:
    legend = Span("rows: true class, columns: prediction, diagonal: recall", "label")
    if not confusions.compared:
        return (legend,)
    return legend, Span(f"  {MORE} more than dense", "wrong"), Span(f"  {FEWER} fewer", "right")
