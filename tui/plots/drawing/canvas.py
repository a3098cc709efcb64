"""The gateway to plotext: the only module that imports it.

plotext 6.1 aborts the process on NaN, raises on None and infinity, takes gigabytes for an outlier
and prints warnings when an axis is too narrow. A canvas therefore scales everything to 0..1 itself,
and plotext never sees anything else.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.sgr import code, parse
from tui.plots.drawing.ticks import Axis, Tick
from tui.text.lines import Line, Lines, Span, clean, cut

ABOVE, BELOW = "▴", "▾"
"""What is beyond the ends of the left axis."""

BAND = "░"
_CURSOR_LINE, _CURSOR = "│", "╋"
_Floats = NDArray[np.float64]


class _Frame(NamedTuple):
    """The axes of a canvas, and the width of the left one."""

    width: int
    height: int
    x: Axis
    y: Axis
    right: tuple[Tick, ...]
    bottom_axis: bool
    margin: int


class _Signal(NamedTuple):
    """Points from 0 to 1 drawn with a character; those at `joined` end a line."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    char: str
    role: str
    joined: tuple[int, ...]


class _Text(NamedTuple):
    """A text that starts at a point from 0 to 1."""

    x: float
    y: float
    text: str
    role: str


class Canvas:
    """A plot area with a left and a bottom axis.

    The bottom axis's name is in the corner below the left axis, where it costs no line. Drawing
    calls are only recorded; plotext, which takes milliseconds, draws them in `lines`, and a recent
    identical drawing is reused.

    Args:
        width, height: Cells, axes included.
        x, y: The bottom and the left axis.
        right: Labels to the right of the area, at positions of the left axis.
        bottom_axis: Whether the bottom axis is shown; without it the area has two more lines.

    Attributes:
        x, y: The axes.
        margin: Cells left of the left axis.
        columns, rows: Cells inside them.
    """

    def __init__(
        self,
        width: int,
        height: int,
        x: Axis,
        y: Axis,
        right: Sequence[Tick] = (),
        bottom_axis: bool = True,
    ) -> None:
        self.x, self.y = x, y
        margin = max(len(text) for text in (x.name, *(tick.text for tick in y.ticks)))
        self.margin = margin
        self.columns = width - margin - 1 - max((len(tick.text) for tick in right), default=0)
        self.rows = height - 2 * bottom_axis
        self._frame = _Frame(width, height, x, y, tuple(right), bottom_axis, margin)
        self._content: list[_Signal | _Text] = []

    def line(self, xs: ArrayLike, ys: ArrayLike, role: str) -> None:
        """Draw a line in fine dots, interrupted wherever a value is missing."""
        x, y = self.x.scale(xs), self.y.scale(ys)
        for start, stop in _runs(np.isfinite(x) & np.isfinite(y)):
            # The last point in each dot is drawn, so that only the newest dot of a line changes.
            columns = (x[start:stop] * self.columns * 2).astype(int)
            _, from_the_end = np.unique(columns[::-1], return_index=True)
            last = np.sort(stop - 1 - from_the_end)
            dots = _middles(x[last], self.columns * 2), _middles(y[last], self.rows * 4)
            self._signal(*dots, "braille", role, joined=range(1, len(last)))

    def marks(self, xs: ArrayLike, ys: ArrayLike, char: str, role: str) -> None:
        """Draw a character at each point."""
        x, y = self.x.scale(xs), self.y.scale(ys)
        there = np.isfinite(x) & np.isfinite(y)
        self._signal(x[there], y[there], char, role)

    def horizontal(self, y: float, char: str, role: str) -> None:
        """Draw a line of characters from left to right."""
        at = (self.row(y) + 0.5) / self.rows
        self._signal(_ends(self.columns), np.full(2, at), char, role, joined=(1,))

    def vertical(self, x: float, char: str, role: str) -> None:
        """Draw a line of characters from top to bottom."""
        at = (self.x.cell(x, self.columns) + 0.5) / self.columns
        self._signal(np.full(2, at), _ends(self.rows), char, role, joined=(1,))

    def band(self, xs: ArrayLike, lows: ArrayLike, highs: ArrayLike, role: str) -> None:
        """Fill the cells between two lines, from the first to the last place where both are known.

        Drawn before a line, it lies behind it.
        """
        x, low, high = (np.asarray(values, dtype=float).ravel() for values in (xs, lows, highs))
        known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        if not known.any():
            return
        columns = self.x.scale(x[known]) * self.columns
        middles = np.arange(math.floor(columns[0]), math.floor(columns[-1]) + 1)
        ends = (np.interp(middles + 0.5, columns, self.y.scale(y[known])) for y in (low, high))
        bottom, top = (np.floor(end * self.rows).astype(int) for end in ends)
        cells = np.full((self.rows, self.columns), " ", dtype="<U1")
        rows = np.arange(self.rows)[:, None]
        cells[:, middles] = np.where((rows >= bottom) & (rows <= top), BAND, " ")
        self._put(("".join(row) for row in cells.tolist()), role)

    def outside(self, xs: ArrayLike, ys: ArrayLike, role: str) -> None:
        """Point to values beyond the lower or the upper end of the left axis."""
        x, y = (np.asarray(values, dtype=float).ravel() for values in (xs, ys))
        for beyond, end, arrow in (
            (y < self.y.lower, self.y.lower, BELOW),
            (y > self.y.upper, self.y.upper, ABOVE),
        ):
            self.marks(x[beyond], np.full(beyond.sum(), end), arrow, role)

    def level(self, y: float, char: str, role: str) -> None:
        """Draw a line from left to right at a value; none beyond the axis, where it would lie."""
        if self.y.lower <= y <= self.y.upper:
            self.horizontal(y, char, role)

    def beyond(self, y: float) -> str:
        """Return an arrow to a value beyond the left axis, for its label; else nothing."""
        return BELOW if y < self.y.lower else ABOVE if y > self.y.upper else ""

    def cursor(self, x: float, y: float) -> None:
        """Point out a place: a line from top to bottom, and a mark on the value."""
        if math.isfinite(x):
            self.vertical(x, _CURSOR_LINE, "cursor")
            if math.isfinite(y):
                self.marks([x], [y], _CURSOR, "cursor")

    def row(self, y: float) -> int:
        """Return the row of a value of the left axis, counted from the bottom."""
        return self.y.cell(y, self.rows)

    def text(self, column: int, row: int, text: str, role: str) -> None:
        """Write text starting in a cell; rows count from the bottom.

        A later drawing over one of its cells cuts it off there.
        """
        text = cut(text, self.columns - column)
        if text:
            at = (column + 0.5) / self.columns, (row + 0.5) / self.rows
            self._content.append(_Text(*at, text, role))

    def hint(self, text: str) -> None:
        """Write text in the middle, or in the nearest row below or above where nothing is drawn."""
        text, middle = cut(clean(text), self.columns), (self.rows - 1) // 2
        ys = ((each.y,) if isinstance(each, _Text) else each.y for each in self._content)
        drawn = {int(y * self.rows) for y in chain.from_iterable(ys)}
        free = set(range(self.rows)) - drawn or {middle}
        row = min(sorted(free), key=lambda row: abs(row - middle))
        self.text((self.columns - len(text)) // 2, row, text, "hint")

    def upright_bars(self, heights: Iterable[float], ramp: str, role: str) -> None:
        """Draw bars of heights 0 to 1, one per column; anything above 0 is visible.

        `ramp` has the characters from an almost empty cell to a full one.
        """
        bars = (_bar(height, self.rows, ramp) for height in heights)
        self._put(map("".join, zip(*bars, strict=True)), role)

    def horizontal_bars(self, lengths: Mapping[int, float], ramp: str, role: str) -> None:
        """Draw bars of lengths 0 to 1 by row, counted from the bottom."""
        rows = range(self.rows)
        self._put((_bar(lengths.get(row, 0), self.columns, ramp) for row in rows), role)

    def lines(self) -> Lines:
        """Return the drawing."""
        return _draw(self._frame, tuple(self._content))

    def _put(self, rows: Iterable[str], role: str) -> None:
        """Write whole rows, the lowest one first; spaces change nothing.

        plotext's time grows with the points, so a run of equal cells is one line.
        """
        # A space at the end of each row ends its last run.
        flat = np.array([*"".join(f"{row} " for row in rows)], dtype="<U1")
        for char in np.unique(flat[flat != " "]):
            ends = np.array(list(_runs(flat == char))) - (0, 1)
            places, first = np.unique(ends, return_index=True)
            y, x = np.divmod(places, self.columns + 1)
            points = (x + 0.5) / self.columns, (y + 0.5) / self.rows
            self._signal(*points, str(char), role, np.flatnonzero(first % 2).tolist())

    def _signal(
        self, x: _Floats, y: _Floats, char: str, role: str, joined: Iterable[int] = ()
    ) -> None:
        if len(x):
            points = tuple(x.tolist()), tuple(y.tolist())
            self._content.append(_Signal(*points, char, role, tuple(joined)))


@cache
def load_plotext() -> Any:
    """Import plotext, at the first drawing or, so that this need not wait, before it."""
    import plotext

    plotext.terminal.limit(False, False)
    return plotext


@lru_cache(maxsize=16)
def _draw(frame: _Frame, content: tuple[_Signal | _Text, ...]) -> Lines:
    plotext = load_plotext()
    figure = type(plotext.figure)(plotext.terminal)  # plotext's own is global
    figure.canvas("default")
    figure.plot_size(frame.width, frame.height)
    _draw_axes(figure, frame)
    for item in content:
        if isinstance(item, _Text):
            label = plotext.colorize(item.text).fill(code(item.role))
            figure.draw(figure.text(item.x, item.y, label, alignment="left"))
        else:
            marker = plotext.marker(item.char, pixel=code(item.role))
            signal = figure.signal(list(item.x), list(item.y), marker=marker)
            for place in item.joined:
                signal.line(place)
            figure.draw(signal)
    lines = parse(figure.build().string())
    if not frame.bottom_axis:
        return lines
    corner = Span(frame.x.name.ljust(frame.margin), "label")
    return (*lines[:-1], (corner, *_drop(lines[-1], frame.margin)))


def _draw_axes(figure: Any, frame: _Frame) -> None:
    figure.axes(True, pixel=(code("axis"), "default"))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    figure.axes(frame.bottom_axis, axis="x", side="lower", pixel=(code("axis"), "default"))
    _draw_ruler(figure, "x", "lower", frame.x, frame.x.ticks if frame.bottom_axis else ())
    # The margin is as wide as the widest label, which may be narrower than the name below it.
    left = [tick._replace(text=tick.text.rjust(frame.margin)) for tick in frame.y.ticks]
    _draw_ruler(figure, "y", "left", frame.y, left)
    _draw_ruler(figure, "y", "right", frame.y, frame.right)


def _draw_ruler(figure: Any, name: str, side: str, axis: Axis, ticks: Sequence[Tick]) -> None:
    plotext = load_plotext()
    ruler = figure.ruler(name, side)
    ruler.lim(0, 1).alignment(lim="edge").pixel((code("label"), "default"))
    places = axis.scale([tick.at for tick in ticks])
    labels = [plotext.colorize(tick.text).fill(code(tick.role)) for tick in ticks]
    ruler.ticks(places.tolist(), labels=labels)


def _ends(cells: int) -> _Floats:
    """Return the middles of the first and the last cell."""
    return np.array([0.5, cells - 0.5]) / cells


def _middles(values: _Floats, dots: int) -> _Floats:
    """Move values from 0 to 1 to the middle of their dot, so that equal drawings are equal."""
    middles: _Floats = (np.floor(values * dots) + 0.5) / dots
    return middles


def _runs(there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the start and the stop of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _bar(length: float, cells: int, ramp: str) -> str:
    """Return a bar, padded; its last character is as full as the ramp can show."""
    steps = min(math.ceil(length * cells * len(ramp)), cells * len(ramp))
    full, rest = divmod(max(0, steps), len(ramp))
    return (ramp[-1] * full + ramp[rest - 1 : rest]).ljust(cells)


def _drop(line: Line, cells: int) -> Line:
    kept: list[Span] = []
    for span in line:
        kept.append(Span(span.text[cells:], span.role))
        cells = max(0, cells - len(span.text))
    return tuple(span for span in kept if span.text)
