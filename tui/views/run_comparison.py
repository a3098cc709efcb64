"""Two runs side by side: their results, and their sparsities layer by layer."""

from itertools import zip_longest
from typing import NamedTuple, Self

from core.experiments.run_record import LayerRecord
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, differences
from tui.text.lines import Line, Lines, Span, clean, cut, cut_path, width_of
from tui.views.run_table import NONE, epochs, points, ratio, signed, whole

ONE, OTHER, AT = "◉", "◎", "▸"
"""The marks of the selected run, of the one it is compared with, and of the selected layer."""

VIEWS = ("sparsities", "curves", "weights")
"""The views of a comparison."""

WIDE, TALL = 110, 16
"""From this width on, two views stand side by side; from this height on, all of them."""

_GAP = 2
_NUMBER, _DIFFERENCE, _KEPT = 8, 8, 10
_LEAST_BAR, _MOST_BAR = 8, 40

Layers = tuple[tuple[LayerRecord, LayerRecord], ...]


def sparsities(
    one: RunRow, other: RunRow, layers: Layers, at: int, width: int, height: int
) -> Lines:
    """The results of two runs, then the layers around the one at index `at`, as many as fit."""
    head = _totals(one, other, width)
    if height < len(head) + 1 + len(layers):
        head = head[:-1]
    below = _layers(one, other, layers, at, width, height - len(head))
    spare = height - len(head) - len(below)
    if spare > 0:
        below = (*below, *_settings(one, other, width)[:spare])
    return (*head, *below)[: max(0, height)]


def names(one: RunRow, other: RunRow) -> tuple[str, str]:
    """The names of the two runs, with their signs."""
    return f"{ONE} {one.id}", f"{OTHER} {other.id}"


def side_by_side(left: Lines, right: Lines, width: int, gap: int) -> Lines:
    """Two areas beside each other; the left one has this width."""
    return tuple(
        (*first, Span(" " * max(0, width + gap - width_of(first)), "plain"), *second)
        for first, second in zip_longest(left, right, fillvalue=())
    )


def _totals(one: RunRow, other: RunRow, width: int) -> Lines:
    """A line for each run, and one for their differences."""
    mine, others = one.record.nonzero, other.record.nonzero
    columns = (
        _Total(10, "ratio", ratio(one.ratio), ratio(other.ratio), _times(one.ratio, other.ratio)),
        _Total(12, "validation", *_scores(one, other, "validation")),
        _Total(8, "test", *_scores(one, other, "test")),
        *_files(one, other),
        _Total(10, "vs dense", *(signed(row.gain("validation")) for row in (one, other))),
        _Total(11, "nonzero", whole(mine), whole(others), _signed(mine, others)),
        _Total(8, "epochs", epochs(one), epochs(other)),
    )
    first = max(map(len, names(one, other))) + 4
    room, fitted = width - first, list[_Total]()
    for column in columns:
        room -= column.width
        if room < 0:
            break
        fitted.append(column)
    texts = [
        "".join(
            cut(getattr(column, name), column.width - 1).rjust(column.width) for column in fitted
        )
        for name in ("title", "mine", "others", "difference")
    ]
    this, that = names(one, other)
    return (
        (Span(" " * first + texts[0], "muted"),),
        (Span(f"  {this}".ljust(first) + texts[1], "chosen"),),
        (Span(f"  {that}".ljust(first) + texts[2], "all"),),
        (Span("  diff".ljust(first) + texts[3], "plain"),),
    )


class _Total(NamedTuple):
    """A column of results and their difference."""

    width: int
    title: str
    mine: str
    others: str
    difference: str = ""


def _files(one: RunRow, other: RunRow) -> tuple[_Total, ...]:
    """Columns of bytes, if either run records any."""
    mine, others = (row.quantized.bytes if row.quantized else None for row in (one, other))
    found = ((10, "lossless", one.compact, other.compact), (11, "quantized", mine, others))
    return tuple(
        _Total(width, name, whole(this), whole(that), _times(that, this))
        for width, name, this, that in found
        if this or that
    )


def _scores(one: RunRow, other: RunRow, split: str) -> tuple[str, str, str]:
    mine, others = one.score(split), other.score(split)
    difference = None if mine is None or others is None else mine - others
    return points(mine), points(others), "" if difference is None else signed(difference)


def _times(one: float | None, other: float | None) -> str:
    """How many times smaller one is."""
    return "" if one is None or other is None else f"×{one / other:,.2f}"


def _signed(one: int | None, other: int | None) -> str:
    return "" if one is None or other is None else f"{one - other:+,}"


def _layers(one: RunRow, other: RunRow, layers: Layers, at: int, width: int, height: int) -> Lines:
    """A header and the layers around the selected one."""
    if not layers:
        return ((Span("  neither run recorded its layers", "muted"),),)
    shown = max(1, height - 1)
    first = max(0, min(at - shown // 2, len(layers) - shown))
    fitted = _Columns.of(names(one, other), layers, width)
    rows = enumerate(layers[first : first + shown], first)
    return (
        _head(names(one, other), fitted),
        *(_layer(mine, others, index == at, fitted) for index, (mine, others) in rows),
    )


class _Columns(NamedTuple):
    """Widths of the columns of the layer table; 0 for those that do not fit."""

    name: int
    number: int
    bar: int
    kept: int

    @classmethod
    def of(cls, run_names: tuple[str, str], layers: Layers, width: int) -> Self:
        name = max(5, min(max(len(mine.name) for mine, _ in layers), max(8, width // 5)))
        number = max(_NUMBER, *(len(text) + 2 for text in run_names))
        room = width - 2 - name - 2 * number - _DIFFERENCE
        kept = _KEPT if room >= 2 * _KEPT else 0
        bar = min(_MOST_BAR, room - 2 * kept - _GAP)
        return cls(name, number, bar if bar >= _LEAST_BAR else 0, kept)


def _head(run_names: tuple[str, str], fitted: _Columns) -> Line:
    text = "  " + "layer".ljust(fitted.name)
    if fitted.bar:
        text += " " * _GAP + cut("sparsity %", fitted.bar).ljust(fitted.bar)
    mine, others = run_names
    kept = [(f"{ONE} kept", "chosen"), (f"{OTHER} kept", "all")] if fitted.kept else []
    return (
        Span(text, "muted"),
        Span(mine.rjust(fitted.number), "chosen"),
        Span(others.rjust(fitted.number), "all"),
        Span("diff".rjust(_DIFFERENCE), "muted"),
        *(Span(title.rjust(fitted.kept), role) for title, role in kept),
    )


def _layer(mine: LayerRecord, others: LayerRecord, chosen: bool, fitted: _Columns) -> Line:
    role = "chosen" if chosen else "plain"
    known = mine.sparsity is not None and others.sparsity is not None
    difference = signed(100 * ((mine.sparsity or 0) - (others.sparsity or 0))) if known else NONE
    sparsities = (None if s is None else 100 * s for s in (mine.sparsity, others.sparsity))
    numbers = "".join(points(sparsity).rjust(fitted.number) for sparsity in sparsities)
    numbers += difference.rjust(_DIFFERENCE)
    if fitted.kept:
        kept = (cut(whole(row.kept), fitted.kept - 1) for row in (mine, others))
        numbers += "".join(text.rjust(fitted.kept) for text in kept)
    bar = _bar(mine.sparsity, others.sparsity, fitted.bar) if fitted.bar else ()
    return (
        Span(AT if chosen else " ", "chosen"),
        Span(" " + cut_path(clean(mine.name), fitted.name).ljust(fitted.name), role),
        *((Span(" " * _GAP, "plain"), *bar) if bar else ()),
        Span(numbers, role),
    )


def _bar(mine: float | None, others: float | None, width: int) -> Line:
    """One sparsity as a bar, the other as a mark on it."""
    filled = round((mine or 0.0) * width)
    cells = [(("█", "bar-chosen") if cell < filled else ("·", "muted")) for cell in range(width)]
    if others is not None:
        cells[min(width - 1, round(others * width))] = (OTHER, "all")
    return tuple(Span(char, role) for char, role in cells)


def _settings(one: RunRow, other: RunRow, width: int) -> Lines:
    """The settings in which the two differ, after an empty line."""
    found = differences(one, other)
    if not found:
        return ((), (Span("  same settings", "muted"),))
    parts = [f"{name} {ONE} {this} {OTHER} {that}" for name, this, that in found]
    lines, line = [], "  differ:"
    for index, part in enumerate(parts):
        difference = " · " if index and line.strip() else " "
        if len(line) + len(difference) + len(part) > width and line.strip() != "differ:":
            lines.append(line)
            line, difference = "         ", " "
        line += difference + part
    return ((), *((Span(cut(text, width), "muted"),) for text in (*lines, line)))


def views(run_list: RunList, width: int, height: int) -> tuple[str, ...]:
    """The views that show at once; if several, the first takes the left half."""
    if width < WIDE:
        return (VIEWS[run_list.view % len(VIEWS)],)
    if height >= TALL:
        return VIEWS
    others = VIEWS[1:]
    return (VIEWS[0], others[run_list.view % len(others)])
