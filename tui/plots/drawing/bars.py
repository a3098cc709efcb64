"""Bars that compare layers before and after pruning, for the parameter and size plots."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.plots.drawing.canvas import Canvas
from tui.plots.drawing.numbers import Units
from tui.plots.drawing.ticks import Axis, Tick, unit_ticks
from tui.text.lines import Line, Lines, Span, blank, clean, cut_path, fits, header, note

_DENSE, _PRUNED = "░", "▏▎▍▌▋▊▉█"
_CHOSEN = "▸ "


class Bar(NamedTuple):
    """A layer, or the total: its name and its amounts before and after pruning."""

    name: str
    dense: float
    pruned: float


@dataclass(frozen=True, slots=True)
class Style:
    """What bars show and how amounts are formatted.

    Attributes:
        name: What is compared.
        after: The name of the remaining amount.
        total: Whether a bar for all layers is always shown below the others.
        units: The units of the axis.
        write: Formats an amount.
        compare: Formats a pruned amount relative to a dense one.
    """

    name: str
    after: str
    total: bool
    units: Units
    write: Callable[[float], str]
    compare: Callable[[float, float], str]


def draw_bars(style: Style, bars: Sequence[Bar], chosen: int, width: int, height: int) -> Lines:
    """Draw one or more rows per layer, with its numbers on the right.

    If there are more layers than rows, those around the selected one are shown.
    """
    if not fits(width, height):
        return blank(width, height)
    if not bars:
        return note("no layers to show", width, height)
    total = Bar("all", sum(bar.dense for bar in bars), sum(bar.pruned for bar in bars))
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


def _title(style: Style, total: Bar) -> Line:
    """Return a title that is the legend as well."""
    ratio = style.compare(total.pruned, total.dense)
    return (
        Span(f"{style.name}  ", "title"),
        Span(f"{_DENSE} {style.write(total.dense)} dense  ", "dense"),
        Span(f"{_PRUNED[-1]} {style.write(total.pruned)} {style.after} ({ratio})", "pruned"),
    )


def _window(layers: int, room: int, chosen: int) -> range:
    size = min(layers, room)
    first = min(max(0, chosen - size // 2), layers - size)
    return range(first, first + size)


@dataclass(frozen=True, slots=True)
class _Chart:
    """The bars that show."""

    style: Style
    bars: Sequence[Bar]
    chosen: int
    floor: bool

    def lines(self, width: int, room: int) -> Lines:
        top = max(1, *(max(bar.dense, bar.pruned) for bar in self.bars))
        each = min((room + 1) // len(self.bars), 5)
        thick = (each - 1) // 2
        # Nothing needs to keep the last bar apart from the axis.
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
                # Where there is room, the second bar lies below the first instead of over it.
                pruned[row - thick] = bar.pruned / top
        canvas.lying_bars(dense, _DENSE, "dense")
        canvas.lying_bars(pruned, _PRUNED, "pruned")
        return canvas.lines()

    def _ticks(self, places: Sequence[float], texts: Sequence[str]) -> tuple[Tick, ...]:
        roles = ("chosen" if index == self.chosen else "label" for index in range(len(texts)))
        return tuple(map(Tick, places, texts, roles))

    def _names(self, width: int) -> list[str]:
        """Return names of one width."""
        names = [cut_path(clean(bar.name), width) for bar in self.bars]
        longest = max(map(len, names))
        return [
            (_CHOSEN if index == self.chosen else " " * len(_CHOSEN)) + name.ljust(longest)
            for index, name in enumerate(names)
        ]

    def _numbers(self) -> list[str]:
        """Return the numbers of each bar, one below the other."""
        columns = [
            [self.style.write(bar.dense) for bar in self.bars],
            ["→"] * len(self.bars),
            [self.style.write(bar.pruned) for bar in self.bars],
            [self.style.compare(bar.pruned, bar.dense) for bar in self.bars],
        ]
        widths = [max(map(len, column)) for column in columns]
        rows = zip(*columns, strict=True)
        return [
            "".join(f" {text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in rows
        ]
