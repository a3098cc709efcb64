"""The confusion plot: which classes the dense and the pruned net confuse."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from numpy.typing import ArrayLike

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.heading import title_only
from tui.plots.drawing.numbers import count
from tui.plots.predictions.confusion_matrix import (
    FEWER,
    MORE,
    SHARES,
    draw_matrix,
    heat,
    matrix_size,
    shade,
)
from tui.plots.predictions.confusion_numbers import Confusions
from tui.plots.predictions.confusion_ranking import AFTER, BEFORE, draw_pairs, draw_recalls
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, beside, blank, clean, fits, header, note, width_of

LABEL = "Confusion"
_GAP = 4
# The least columns beside a matrix, and rows below it, for bars.
_LEAST, _LOWEST = 28, 4
# The cells of a class's name beside a matrix that has no room for all of it.
_SHORT = 5
# The most lines of a row of the matrix.
_TALLEST = 3


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


def draw(data: ConfusionData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw a matrix if there is room, and what pruning made worse, worst first."""
    if not fits(width, height):
        return blank(width, height)
    confusions = _confusions(data)
    if confusions is None:
        return note(clean(hint), width, height)
    head = title_only(title(data), width, view)
    net, cursor = clean(data.net), None
    if view.row is not None:
        cursor = divmod(view.row, len(confusions.classes))
    rows = height - len(head)
    named = (confusions, confusions.named(_SHORT)) if len(confusions.classes) < rows else ()
    for shaded, each in product((False, True), named):
        if body := _matrix(each, net, width, rows, shaded, cursor):
            return head + body
    return head + _lists(confusions, net, width, rows)


def title(data: ConfusionData) -> Line:
    """Return how many images each net gets wrong."""
    confusions = _confusions(data)
    if confusions is None:
        return (Span(f"{LABEL} of classes", "title"),)
    before, after = confusions.wrong
    images = count(max(data.images, 0) or float(confusions.after.sum()))
    of = Span(f" of {images} {clean(data.caption)}", "title")
    net, start = clean(data.net), Span(f"{LABEL} · ", "title")
    if not confusions.compared:
        alone = net if confusions.alone == "pruned" else confusions.alone
        return start, Span(f"{alone}: {count(after)} wrong", _role(alone)), of
    dense = Span(f" · dense: {count(before)}", "dense")
    return start, Span(f"{net}: {count(after)} wrong", _role(net)), of, dense


def table(data: ConfusionData) -> DataTable:
    """Return a row for each true and each predicted class."""
    confusions = _confusions(data)
    if confusions is None:
        return DataTable()
    classes = [clean(name) for name in data.classes]
    pairs = [(true, other) for true in classes for other in classes]
    before = Column("dense", confusions.before.ravel().tolist(), "images", role="dense")
    after = Column(
        clean(data.net), confusions.after.ravel().tolist(), "images", role=_role(data.net)
    )
    known = {"dense": (before,), "pruned": (after,)}.get(confusions.alone, (before, after))
    columns = (
        Column("true", [true for true, _ in pairs]),
        Column("predicted", [other for _, other in pairs]),
        *known,
    )
    return DataTable(columns, across=len(classes), keys=2)


@lru_cache(maxsize=2)
def _confusions(data: ConfusionData) -> Confusions | None:
    return Confusions.of(data.classes, data.dense, data.pruned)


def _matrix(
    confusions: Confusions,
    net: str,
    width: int,
    height: int,
    shaded: bool,
    cursor: tuple[int, int] | None,
) -> Lines:
    """Draw the matrix and the worst confusions; empty if there is no room for both."""
    needed, lines = matrix_size(confusions, shaded)
    legend = header(_marks(confusions, shaded), (), width, 1) if height > lines else ()
    height -= len(legend)
    room, below = width - needed - _GAP, height - lines - 1
    tall = min(max((height - 1) // max(1, lines - 1), 1), _TALLEST) if room >= _LEAST else 1
    matrix = draw_matrix(confusions, shaded, cursor, tall) if width >= needed else ()
    if room >= _LEAST and height >= lines:
        pairs = _pairs(confusions, net, room, height, headed=True)
        return (*legend, *beside(matrix, pairs, width))
    if width >= needed and below >= _LOWEST:
        pairs = _pairs(confusions, net, width, below, headed=True)
        return (*legend, *beside(matrix, (), width), *blank(width, 1), *pairs)
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
        spans += [Span(f"  {BEFORE} dense", "dense"), Span(f"  {AFTER} {net}", _role(net))]
    title = header(spans, (), width, 1) if headed else ()
    return (*title, *draw_pairs(confusions, width, height - len(title), _role(net)))


def _marks(confusions: Confusions, shaded: bool) -> Line:
    legend = [Span("row: true class, column: predicted  share of the class:", "label")]
    for share, _ in SHARES:
        legend += [Span(" ", "plain"), Span(f"{shade(share) * shaded} {share:g} %+ ", heat(share))]
    if confusions.compared and not shaded:
        legend += [Span(f"  {MORE} more than dense", "wrong"), Span(f"  {FEWER} fewer", "right")]
    return tuple(legend)


def _role(net: str) -> str:
    """The role of a net called so."""
    return {"dense": "dense", "fine-tuned": "finetuned"}.get(net, "pruned")
