"""The bars of layers before and after pruning: the parameter and size plots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.bars import Scale, bar_canvas
from tui.plots.drawing.heading import heading
from tui.plots.drawing.numbers import (
    BYTES,
    COUNTS,
    Units,
    aligned,
    amounts,
    count,
    percent,
    ratio,
    volume,
)
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, note

_DENSE, _PRUNED = "░", "▏▎▍▌▋▊▉█"
_CHOSEN = "▸ "
_KEPT = "kept"
"""The name and the role of what remains, which looks the same in every plot."""


@dataclass(frozen=True, slots=True)
class Style:
    """The title of the bars, and the format of amounts alone and compared with dense ones.

    Attributes:
        both: The remaining and the whole amount in words.
        unit: The unit of the amounts themselves.
        total: Whether a bar for all layers is always shown below the others.
    """

    name: str
    both: str
    total: bool
    unit: str
    units: Units
    write: Callable[[float], str]
    compare: Callable[[float, float], str]


PARAMETERS = Style("Parameters", "{} of {} kept", False, "", COUNTS, count, percent)
SIZE = Style("Size", "{1} → {0}", True, "bytes", BYTES, volume, ratio)


@dataclass(frozen=True, slots=True)
class LayerBarsData:
    """The layers' names with their amounts before and after pruning."""

    style: Style
    layers: tuple[str, ...]
    dense: tuple[float, ...]
    pruned: tuple[float, ...]
    chosen: int


class _Bar(NamedTuple):
    name: str
    dense: float
    pruned: float


def draw(data: LayerBarsData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw one or more rows per layer, with its numbers on the right.

    If there are more layers than rows, those around the selected one are shown.
    """
    style, chosen = data.style, data.chosen if view.row is None else view.row
    bars = _all_bars(data)
    if not fits(width, height):
        return blank(width, height)
    if not bars:
        return note(hint or "no layers to show", width, height)
    total = _total(bars)
    always = [total] if style.total else []
    bottom_axis = height >= min(len(bars) + len(always) + 3, 12)
    scale = Scale.of([bar.dense for bar in (*bars, *always)], view.other_scale)
    legend = _legend(style, scale)
    head = heading(title(data), legend, width, height, view)
    room = height - len(head) - 2 * bottom_axis
    shown = min(len(bars), room - len(always))
    first = min(max(0, chosen - shown // 2), len(bars) - shown)
    at = min(max(0, chosen), len(bars) - 1) - first
    shown_bars = [*bars[first : first + shown], *always]
    body = _bars(style, shown_bars, at, scale, bottom_axis, width, room)
    if hidden := len(bars) - shown:
        more = Span(f"  {hidden} of {len(bars)} layers hidden", "hint")
        head = heading(title(data), (*legend, more), width, height, view)
    return head + body + blank(width, height - len(head) - len(body))


def title(data: LayerBarsData) -> Line:
    """Return the amounts of all layers."""
    style, total = data.style, _total(_all_bars(data))
    fraction = style.compare(total.pruned, total.dense)
    amounts_text = style.both.format(style.write(total.pruned), style.write(total.dense))
    return (
        Span(style.name, "title"),
        Span(f" · {amounts_text}", _KEPT),
        Span(f" ({fraction})", _KEPT),
    )


def table(data: LayerBarsData) -> DataTable:
    """Return the amounts of each layer."""
    bars, style = _all_bars(data), data.style
    columns = (
        Column("layer", [bar.name for bar in bars]),
        Column("dense", [bar.dense for bar in bars], style.unit, role="dense"),
        Column(_KEPT, [bar.pruned for bar in bars], style.unit, role=_KEPT),
    )
    return DataTable(columns, across=1)


def _all_bars(data: LayerBarsData) -> list[_Bar]:
    columns = data.layers, amounts(data.dense).tolist(), amounts(data.pruned).tolist()
    return [_Bar(*row) for row in zip(*columns, strict=False)]


def _total(bars: list[_Bar]) -> _Bar:
    return _Bar("all", sum(bar.dense for bar in bars), sum(bar.pruned for bar in bars))


def _legend(style: Style, scale: Scale) -> Line:
    scales = (Span("  log scale", "label"),) if scale.log else ()
    return (Span(f"{_DENSE} dense", "dense"), Span(f"  {_PRUNED[-1]} {_KEPT}", _KEPT), *scales)


def _bars(
    style: Style,
    bars: list[_Bar],
    chosen: int,
    scale: Scale,
    bottom_axis: bool,
    width: int,
    room: int,
) -> Lines:
    scale = scale.up_to(max(1, *(max(bar.dense, bar.pruned) for bar in bars)))
    lines = min((room + 1) // len(bars), 5)
    thick = (lines - 1) // 2
    numbers = aligned([
        [style.write(bar.dense) for bar in bars],
        ["→"] * len(bars),
        [style.write(bar.pruned) for bar in bars],
        [style.compare(bar.pruned, bar.dense) for bar in bars],
    ])  # fmt: skip
    if len(numbers[0]) > width * 3 // 5:
        numbers = []
    roles = ["chosen" if index == chosen else "label" for index in range(len(bars))]
    signs = [_CHOSEN if role == "chosen" else " " * len(_CHOSEN) for role in roles]
    names = [cut_name(clean(bar.name), width // 4) for bar in bars]
    names = [sign + name for sign, name in zip(signs, names, strict=True)]
    x = scale.axis(width // 15, style.units)
    canvas = bar_canvas(width, lines, x, names, numbers, roles, bottom_axis)
    dense, pruned = {}, {}
    for top, bar in zip(range(canvas.rows - 1, -1, -lines), bars, strict=True):
        for row in range(top, top - max(1, thick), -1):
            dense[row] = scale.length(bar.dense)
            # If there is room, the second bar lies below the first instead of over it.
            pruned[row - thick] = scale.length(bar.pruned)
    canvas.horizontal_bars(dense, _DENSE, "dense")
    canvas.horizontal_bars(pruned, _PRUNED, _KEPT)
    return canvas.lines()
