"""Two runs side by side: their results, and their sparsities layer by layer."""

from itertools import accumulate
from textwrap import wrap
from typing import NamedTuple, Self

from core.experiments.run_record import LayerRecord
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, differences
from tui.text.format import difference_from, score
from tui.text.lines import Line, Lines, Span, clean, cut, cut_name
from tui.views.run_table import NONE, epochs, gain_of, points, ratio, score_of, signed, whole

ONE, OTHER, POINTER = "◉", "◎", "▸"
"""The marks of the selected run, of the one it is compared with, and of the selected layer."""

VIEWS = ("sparsities", "curves", "weights")
"""The views of a comparison."""

WIDE, TALL = 110, 16
"""Minimum width for two views side by side, and minimum height for all of them."""

_GAP = 2
_NUMBER, _DIFFERENCE, _KEPT = 8, 8, 10
_LEAST_BAR, _MOST_BAR = 8, 40
_NO_BREAK = "\u00a0"

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


def _totals(one: RunRow, other: RunRow, width: int) -> Lines:
    mine, others = one.record.nonzero, other.record.nonzero
    columns = (
        _Total(10, "ratio", ratio(one.ratio), ratio(other.ratio), _times(one.ratio, other.ratio)),
        _Total(12, "validation", *_scores(one, other, "validation")),
        _test(*_scores(one, other, "test")),
        *_untrained(one, other),
        *_files(one, other),
        _Total(10, "vs. dense", *(gain_of(row, "validation") for row in (one, other))),
        _Total(11, "nonzero", whole(mine), whole(others), _signed(mine, others)),
        _Total(8, "epochs", epochs(one), epochs(other)),
    )
    first = max(map(len, names(one, other))) + 4
    ends = accumulate(column.width for column in columns)
    visible = [column for column, end in zip(columns, ends, strict=True) if first + end <= width]
    texts = [
        "".join(
            cut(getattr(column, name), column.width - 1).rjust(column.width) for column in visible
        )
        for name in ("title", "mine", "others", "difference")
    ]
    this, that = names(one, other)
    return (
        (Span(" " * first + texts[0], "muted"),),
        (Span(f"  {this}".ljust(first) + texts[1], "chosen"),),
        (Span(f"  {that}".ljust(first) + texts[2], "compared"),),
        (Span("  diff".ljust(first) + texts[3], "plain"),),
    )


class _Total(NamedTuple):
    width: int
    title: str
    mine: str
    others: str
    difference: str = ""


def _untrained(one: RunRow, other: RunRow) -> tuple[_Total, ...]:
    """Columns of test accuracies before training, if either net was reconstructed."""
    if one.record.reconstruction is None and other.record.reconstruction is None:
        return ()
    stages = [row.record.measured for row in (one, other)]
    return tuple(
        _Total(width, name, *(score(at[name]) if name in at else NONE for at in stages))
        for width, name in ((9, "pruned"), (15, "reconstructed"))
    )


def _files(one: RunRow, other: RunRow) -> tuple[_Total, ...]:
    """Columns of bytes, if either run records any."""
    mine, others = (row.quantized.bytes if row.quantized else None for row in (one, other))
    sizes = ((10, "lossless", one.compact, other.compact), (11, "quantized", mine, others))
    return tuple(
        _Total(width, name, whole(this), whole(that), _times(that, this))
        for width, name, this, that in sizes
        if this or that
    )


def _test(mine: str, others: str, difference: str) -> _Total:
    """The column of test accuracies, as wide as their intervals need."""
    return _Total(max(8, len(mine) + 2, len(others) + 2), "test", mine, others, difference)


def _scores(one: RunRow, other: RunRow, split: str) -> tuple[str, str, str]:
    difference = ""
    if one.accuracy and other.accuracy and None not in (one.score(split), other.score(split)):
        difference = difference_from(one.accuracy, other.accuracy, split)
    return score_of(one, split), score_of(other, split), difference


def _times(one: float | None, other: float | None) -> str:
    """How many times smaller one is."""
    return "" if one is None or other is None else f"×{one / other:,.2f}"


def _signed(one: int | None, other: int | None) -> str:
    return "" if one is None or other is None else f"{one - other:+,}"


def _layers(one: RunRow, other: RunRow, layers: Layers, at: int, width: int, height: int) -> Lines:
    if not layers:
        return ((Span("  neither run recorded its layers", "muted"),),)
    shown = max(1, height - 1)
    first = max(0, min(at - shown // 2, len(layers) - shown))
    layout = _Columns.of(names(one, other), layers, width)
    rows = enumerate(layers[first : first + shown], first)
    return (
        _head(names(one, other), layout),
        *(_layer(mine, others, index == at, layout) for index, (mine, others) in rows),
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


def _head(run_names: tuple[str, str], layout: _Columns) -> Line:
    text = "  " + "layer".ljust(layout.name)
    if layout.bar:
        text += " " * _GAP + cut("sparsity %", layout.bar).ljust(layout.bar)
    mine, others = run_names
    kept = [(f"{ONE} kept", "chosen"), (f"{OTHER} kept", "compared")] if layout.kept else []
    return (
        Span(text, "muted"),
        Span(mine.rjust(layout.number), "chosen"),
        Span(others.rjust(layout.number), "compared"),
        Span("diff".rjust(_DIFFERENCE), "muted"),
        *(Span(title.rjust(layout.kept), role) for title, role in kept),
    )


def _layer(mine: LayerRecord, others: LayerRecord, chosen: bool, layout: _Columns) -> Line:
    role = "chosen" if chosen else "plain"
    known = mine.sparsity is not None and others.sparsity is not None
    difference = signed(100 * ((mine.sparsity or 0) - (others.sparsity or 0))) if known else NONE
    sparsities = (None if s is None else 100 * s for s in (mine.sparsity, others.sparsity))
    numbers = "".join(points(sparsity).rjust(layout.number) for sparsity in sparsities)
    numbers += difference.rjust(_DIFFERENCE)
    if layout.kept:
        kept = (cut(whole(row.kept), layout.kept - 1) for row in (mine, others))
        numbers += "".join(text.rjust(layout.kept) for text in kept)
    bar = _bar(mine.sparsity, others.sparsity, layout.bar) if layout.bar else ()
    return (
        Span(POINTER if chosen else " ", "chosen"),
        Span(" " + cut_name(clean(mine.name), layout.name).ljust(layout.name), role),
        *((Span(" " * _GAP, "plain"), *bar) if bar else ()),
        Span(numbers, role),
    )


def _bar(mine: float | None, others: float | None, width: int) -> Line:
    """One sparsity as a bar, the other as a mark on it."""
    filled = round((mine or 0.0) * width)
    cells = [(("█", "bar-chosen") if cell < filled else ("·", "muted")) for cell in range(width)]
    if others is not None:
        cells[min(width - 1, round(others * width))] = (OTHER, "compared")
    return tuple(Span(char, role) for char, role in cells)


def _settings(one: RunRow, other: RunRow, width: int) -> Lines:
    """The settings in which the two differ, after an empty line."""
    settings = differences(one, other)
    if not settings:
        return ((), (Span("  same settings", "muted"),))
    parts = (f"{name} {ONE} {this} {OTHER} {that}" for name, this, that in settings)
    text = f"{_NO_BREAK}· ".join(part.replace(" ", _NO_BREAK) for part in parts)
    lines = wrap(text, width, initial_indent="  settings: ", subsequent_indent=" " * 12,
                 break_long_words=False, break_on_hyphens=False)  # fmt: skip
    texts = (line.replace(_NO_BREAK, " ").removesuffix(" ·") for line in lines)
    return ((), *((Span(cut(text, width), "muted"),) for text in texts))


def views(run_list: RunList, width: int, height: int) -> tuple[str, ...]:
    """The views visible at once; if several, the first takes the left half."""
    if width < WIDE:
        return (VIEWS[run_list.view % len(VIEWS)],)
    if height >= TALL:
        return VIEWS
    others = VIEWS[1:]
    return (VIEWS[0], others[run_list.view % len(others)])
