"""The bars of layers before and after pruning: the parameter and size plots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tui.plots.drawing.bars import bar_canvas
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
from tui.plots.drawing.ticks import Axis, unit_ticks
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, header, note

_DENSE, _PRUNED = "░", "▏▎▍▌▋▊▉█"
_CHOSEN = "▸ "


@dataclass(frozen=True, slots=True)
class Style:
    """The title of the bars, and the format of amounts alone and compared with dense ones.

    Attributes:
        after: The name of the remaining amount.
        total: Whether a bar for all layers is always shown below the others.
    """

    name: str
    after: str
    total: bool
    units: Units
    write: Callable[[float], str]
    compare: Callable[[float, float], str]


PARAMETERS = Style("parameters", "kept", False, COUNTS, count, percent)
SIZE = Style("size", "kept", True, BYTES, volume, ratio)


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


def draw(data: LayerBarsData, width: int, height: int) -> Lines:
    """Draw one or more rows per layer, with its numbers on the right.

    If there are more layers than rows, those around the selected one are shown.
    """
    style, chosen = data.style, data.chosen
    columns = data.layers, amounts(data.dense).tolist(), amounts(data.pruned).tolist()
    bars = [_Bar(*row) for row in zip(*columns, strict=False)]
    if not fits(width, height):
        return blank(width, height)
    if not bars:
        return note("no layers to show", width, height)
    total = _Bar("all", sum(bar.dense for bar in bars), sum(bar.pruned for bar in bars))
    always = [total] if style.total else []
    bottom_axis = height >= min(len(bars) + len(always) + 3, 12)
    room = height - 1 - 2 * bottom_axis
    shown = min(len(bars), room - len(always))
    first = min(max(0, chosen - shown // 2), len(bars) - shown)
    at = min(max(0, chosen), len(bars) - 1) - first
    body = _bars(style, [*bars[first : first + shown], *always], at, bottom_axis, width, room)
    hidden = len(bars) - shown
    more = [Span(f"{hidden} of {len(bars)} layers hidden", "hint")]
    head = header(_title(style, total), more if hidden else (), width, rows=1)
    return head + body + blank(width, height - 1 - len(body))


def _title(style: Style, total: _Bar) -> Line:
    fraction = style.compare(total.pruned, total.dense)
    return (
        Span(f"{style.name}  ", "title"),
        Span(f"{_DENSE} {style.write(total.dense)} dense  ", "dense"),
        Span(f"{_PRUNED[-1]} {style.write(total.pruned)} {style.after} ({fraction})", "kept"),
    )


def _bars(
    style: Style, bars: list[_Bar], chosen: int, bottom_axis: bool, width: int, room: int
) -> Lines:
    most = max(1, *(max(bar.dense, bar.pruned) for bar in bars))
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
    x = Axis(0, most, unit_ticks(most, width // 15, style.units))
    canvas = bar_canvas(width, lines, x, names, numbers, roles, bottom_axis)
    dense, pruned = {}, {}
    for top, bar in zip(range(canvas.rows - 1, -1, -lines), bars, strict=True):
        for row in range(top, top - max(1, thick), -1):
            dense[row] = bar.dense / most
            # If there is room, the second bar lies below the first instead of over it.
            pruned[row - thick] = bar.pruned / most
    canvas.horizontal_bars(dense, _DENSE, "dense")
    canvas.horizontal_bars(pruned, _PRUNED, "kept")
    return canvas.lines()
