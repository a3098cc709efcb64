"""The gateway to plotext: the only module that imports it.

plotext 6.1 aborts the process on NaN, raises on None and infinity, takes gigabytes on a far outlier
and prints warnings when an axis is too narrow. A canvas therefore scales everything to 0..1 itself,
and plotext never sees anything else.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.sgr import code, parse
from tui.plots.drawing.ticks import Axis, Tick
from tui.text.lines import Line, Lines, Span, clean, cut

_Floats = NDArray[np.float64]
# A point at the end of an axis belongs to its last cell, not to the next one.
_END = 1 - 1e-9


class _Frame(NamedTuple):
    """The axes of a canvas, and how wide the left one is."""

    width: int
    height: int
    x: Axis
    y: Axis
    right: tuple[Tick, ...]
    floor: bool
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
        floor: Whether the bottom axis is shown; without it the area has two more lines.

    Attributes:
        columns, rows: Cells inside the axes.
    """

    def __init__(
        self,
        width: int,
        height: int,
        x: Axis,
        y: Axis,
        right: Sequence[Tick] = (),
        floor: bool = True,
    ) -> None:
        self._x, self._y = x, y
        margin = max(len(text) for text in (x.name, *(tick.text for tick in y.ticks)))
        self.columns = width - margin - 1 - max((len(tick.text) for tick in right), default=0)
        self.rows = height - 2 * floor
        self._frame = _Frame(width, height, x, y, tuple(right), floor, margin)
        self._content: list[_Signal | _Text] = []

    def line(self, xs: ArrayLike, ys: ArrayLike, role: str) -> None:
        """Draw a line in fine dots, interrupted wherever a value is missing."""
        x, y = _unit(xs, self._x), _unit(ys, self._y)
        for start, stop in _runs(np.isfinite(x) & np.isfinite(y)):
            kept = start + self._last_in_each_dot(x[start:stop])
            dots = _middles(x[kept], self.columns * 2), _middles(y[kept], self.rows * 4)
            self._signal(*dots, "braille", role, joined=range(1, len(kept)))

    def marks(self, xs: ArrayLike, ys: ArrayLike, char: str, role: str) -> None:
        """Draw a character at each point."""
        x, y = _unit(xs, self._x), _unit(ys, self._y)
        there = np.isfinite(x) & np.isfinite(y)
        self._signal(x[there], y[there], char, role)

    def horizontal(self, y: float, char: str, role: str) -> None:
        """Draw a line of characters from left to right."""
        at = (self.row(y) + 0.5) / self.rows
        self._signal(self._from_end_to_end(self.columns), np.full(2, at), char, role, joined=(1,))

    def vertical(self, x: float, char: str, role: str) -> None:
        """Draw a line of characters from top to bottom."""
        at = (int(_unit([x], self._x)[0] * self.columns) + 0.5) / self.columns
        self._signal(np.full(2, at), self._from_end_to_end(self.rows), char, role, joined=(1,))

    @property
    def bottom(self) -> float:
        """The lowest value of the left axis."""
        return self._y.lower

    def row(self, y: float) -> int:
        """Return the row of a value of the left axis, counted from the bottom."""
        return int(_unit([y], self._y)[0] * self.rows)

    def text(self, column: int, row: int, text: str, role: str) -> None:
        """Write text starting in a cell; rows count from the bottom.

        A later drawing over one of its cells cuts it off there.
        """
        text = cut(text, self.columns - column)
        if text:
            at = (column + 0.5) / self.columns, (row + 0.5) / self.rows
            self._content.append(_Text(*at, text, role))

    def hint(self, text: str) -> None:
        """Write text in the middle."""
        text = cut(clean(text), self.columns)
        self.text((self.columns - len(text)) // 2, (self.rows - 1) // 2, text, "hint")

    def upright_bars(self, heights: Iterable[float], ramp: str, role: str) -> None:
        """Draw bars of heights 0 to 1, one per column; anything above 0 is visible.

        `ramp` has the characters from an almost empty cell to a full one.
        """
        bars = [_bar(height, self.rows, ramp) for height in heights]
        columns = [column for column, bar in enumerate(bars) for _ in bar]
        rows = [row for bar in bars for row in range(len(bar))]
        self._put(columns, rows, "".join(bars), role)

    def lying_bars(self, lengths: Mapping[int, float], ramp: str, role: str) -> None:
        """Draw bars of lengths 0 to 1 by row, counted from the bottom."""
        bars = {row: _bar(length, self.columns, ramp) for row, length in lengths.items()}
        columns = [column for bar in bars.values() for column in range(len(bar))]
        rows = [row for row, bar in bars.items() for _ in bar]
        self._put(columns, rows, "".join(bars.values()), role)

    def lines(self) -> Lines:
        """Return the drawing."""
        return _draw(self._frame, tuple(self._content))

    def _last_in_each_dot(self, x: _Floats) -> NDArray[np.intp]:
        """Keep the last point in each dot, so that only the newest dot of a line changes."""
        dots = (x * self.columns * 2).astype(int)
        _, from_the_end = np.unique(dots[::-1], return_index=True)
        return np.sort(len(x) - 1 - from_the_end)

    @staticmethod
    def _from_end_to_end(cells: int) -> _Floats:
        """Return the middles of the first and the last of so many cells."""
        return np.array([0.5, cells - 0.5]) / cells

    def _put(self, columns: Iterable[int], rows: Iterable[int], text: str, role: str) -> None:
        """Write each character of a text into its own cell.

        plotext's time grows with the points, so a run of equal cells is one line.
        """
        cells = np.zeros((self.rows, self.columns + 1), dtype="<U1")
        cells[np.fromiter(rows, int), np.fromiter(columns, int)] = list(text)
        flat = cells.ravel()
        for char in np.unique(flat[flat != ""]):
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


def preload() -> None:
    """Import plotext in the calling thread, so that the first drawing need not wait for it."""
    _plotext()


@cache
def _plotext() -> Any:
    """Import plotext when it is first needed."""
    import plotext

    plotext.terminal.limit(False, False)
    return plotext


@lru_cache(maxsize=16)
def _draw(frame: _Frame, content: tuple[_Signal | _Text, ...]) -> Lines:
    """Let plotext draw a canvas."""
    plotext, figure = _plotext(), _new_figure(frame.width, frame.height)
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
    if not frame.floor:
        return lines
    corner = Span(frame.x.name.ljust(frame.margin), "label")
    return (*lines[:-1], (corner, *_drop(lines[-1], frame.margin)))


def _draw_axes(figure: Any, frame: _Frame) -> None:
    figure.axes(True, pixel=(code("axis"), "default"))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    figure.axes(frame.floor, axis="x", side="lower", pixel=(code("axis"), "default"))
    _draw_ruler(figure, "x", "lower", frame.x, frame.x.ticks if frame.floor else ())
    # The margin is as wide as the widest label, which may be narrower than the name below it.
    left = [tick._replace(text=tick.text.rjust(frame.margin)) for tick in frame.y.ticks]
    _draw_ruler(figure, "y", "left", frame.y, left)
    _draw_ruler(figure, "y", "right", frame.y, frame.right)


def _draw_ruler(figure: Any, axis: str, side: str, scale: Axis, ticks: Sequence[Tick]) -> None:
    plotext = _plotext()
    ruler = figure.ruler(axis, side)
    ruler.lim(0, 1).alignment(lim="edge").pixel((code("label"), "default"))
    places = np.minimum(_unit([tick.at for tick in ticks], scale), _END)
    labels = [plotext.colorize(tick.text).fill(code(tick.role)) for tick in ticks]
    ruler.ticks(places.tolist(), labels=labels)


def _new_figure(width: int, height: int) -> Any:
    """Return a figure that shares nothing with plotext's global one."""
    plotext = _plotext()
    figure = type(plotext.figure)(plotext.terminal)
    figure.canvas("default")
    figure.plot_size(width, height)
    return figure


def _unit(values: ArrayLike, axis: Axis) -> _Floats:
    """Scale to 0..1, clamping to the axis; NaN if not finite."""
    array: _Floats = np.asarray(values, dtype=float).ravel()
    array = np.where(np.isfinite(array), array, np.nan)
    inside = np.clip(array, axis.lower, axis.upper)
    scaled: _Floats = (inside - axis.lower) / (axis.upper - axis.lower)
    return np.minimum(scaled, _END)


def _middles(values: _Floats, dots: int) -> _Floats:
    """Move values from 0 to 1 to the middle of their dot, so that equal drawings are equal."""
    middles: _Floats = (np.floor(values * dots) + 0.5) / dots
    return middles


def _runs(there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the start and the stop of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False]))))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _bar(length: float, cells: int, ramp: str) -> str:
    """Return the characters of a bar, whose last cell is as full as the ramp can show."""
    steps = min(math.ceil(length * cells * len(ramp)), cells * len(ramp))
    full, rest = divmod(max(0, steps), len(ramp))
    return ramp[-1] * full + ramp[rest - 1 : rest]


def _drop(line: Line, cells: int) -> Line:
    """Remove the first cells of a line."""
    kept: list[Span] = []
    for span in line:
        kept.append(Span(span.text[cells:], span.role))
        cells = max(0, cells - len(span.text))
    return tuple(span for span in kept if span.text)
