"""The bars of layers before and after pruning: the parameter and size plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.plots.drawing.canvas import Canvas
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
from tui.plots.drawing.ticks import Axis, Tick, unit_ticks
from tui.text.lines import Line, Lines, Span, blank, clean, cut_path, fits, header, note

_DENSE, _PRUNED = "░", "▏▎▍▌▋▊▉█"
_CHOSEN = "▸ "


@dataclass(frozen=True, slots=True)
class Style:
    """What bars show and how amounts are formatted.

    Attributes:
        after: The name of the remaining amount.
        total: Whether a bar for all layers is always shown below the others.
        write: Formats an amount.
        compare: Formats a pruned amount relative to a dense one.
    """

    name: str
    after: str
    total: bool
    units: Units
    write: Callable[[float], str]
    compare: Callable[[float, float], str]


PARAMETERS = Style("parameters", "kept", False, COUNTS, count, percent)
SIZE = Style("size", "pruned", True, BYTES, volume, ratio)


@dataclass(frozen=True, slots=True)
class LayerBarsData:
    """The layers' names with their amounts before and after pruning."""

    style: Style
    layers: tuple[str, ...]
    dense: tuple[float, ...]
    pruned: tuple[float, ...]
    chosen: int


class _Bar(NamedTuple):
    """A layer, or the total."""

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
    floor = height >= min(len(bars) + len(always) + 3, 12)
    room = height - 1 - 2 * floor
    window = _window(len(bars), room - len(always), chosen)
    chart = _Chart(
        style=style,
        bars=[*bars[window.start : window.stop], *always],
        chosen=min(max(0, chosen), len(bars) - 1) - window.start,
        floor=floor,
    )
    body = chart.lines(width, room)
    hidden = len(bars) - len(window)
    more = [Span(f"{hidden} hidden", "hint"), Span(f" of {len(bars)} layers", "hint")]
    head = header(_title(style, total), more if hidden else (), width, rows=1)
    return head + body + blank(width, height - 1 - len(body))


def _title(style: Style, total: _Bar) -> Line:
    fraction = style.compare(total.pruned, total.dense)
    return (
        Span(f"{style.name}  ", "title"),
        Span(f"{_DENSE} {style.write(total.dense)} dense  ", "dense"),
        Span(f"{_PRUNED[-1]} {style.write(total.pruned)} {style.after} ({fraction})", "pruned"),
    )


def _window(layers: int, room: int, chosen: int) -> range:
    size = min(layers, room)
    first = min(max(0, chosen - size // 2), layers - size)
    return range(first, first + size)


@dataclass(frozen=True, slots=True)
class _Chart:
    """The visible bars."""

    style: Style
    bars: Sequence[_Bar]
    chosen: int
    floor: bool

    def lines(self, width: int, room: int) -> Lines:
        top = max(1, *(max(bar.dense, bar.pruned) for bar in self.bars))
        each = min((room + 1) // len(self.bars), 5)
        thick = (each - 1) // 2
        # The last bar needs no gap to the axis.
        rows = each * len(self.bars) - (each > 1)
        places = [rows - each * index - 0.5 for index in range(len(self.bars))]
        numbers = self._numbers()
        if len(numbers[0]) > width * 3 // 5:
            numbers = []
        canvas = Canvas(
            width,
            rows + 2 * self.floor,
            Axis(0, top, unit_ticks(top, width // 15, self.style.units)),
            Axis(0, rows, self._ticks(places, self._names(width // 4))),
            self._ticks(places, numbers),
            self.floor,
        )
        dense, pruned = {}, {}
        for place, bar in zip(places, self.bars, strict=True):
            for row in range(int(place), int(place) - max(1, thick), -1):
                dense[row] = bar.dense / top
                # If there is room, the second bar lies below the first instead of over it.
                pruned[row - thick] = bar.pruned / top
        canvas.lying_bars(dense, _DENSE, "dense")
        canvas.lying_bars(pruned, _PRUNED, "pruned")
        return canvas.lines()

    def _ticks(self, places: Sequence[float], texts: Sequence[str]) -> tuple[Tick, ...]:
        roles = ("chosen" if index == self.chosen else "label" for index in range(len(texts)))
        return tuple(map(Tick, places, texts, roles))

    def _names(self, width: int) -> list[str]:
        names = [cut_path(clean(bar.name), width) for bar in self.bars]
        longest = max(map(len, names))
        return [
            (_CHOSEN if index == self.chosen else " " * len(_CHOSEN)) + name.ljust(longest)
            for index, name in enumerate(names)
        ]

    def _numbers(self) -> list[str]:
        columns = [
            [self.style.write(bar.dense) for bar in self.bars],
            ["→"] * len(self.bars),
            [self.style.write(bar.pruned) for bar in self.bars],
            [self.style.compare(bar.pruned, bar.dense) for bar in self.bars],
        ]
        return aligned(columns)
