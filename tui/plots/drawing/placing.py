"""Placement of labels among curves, in cells that nothing else needs."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.canvas import Canvas

_Floats = NDArray[np.float64]
Trail = NDArray[np.int64]
"""Cells [N, 2] a line passes through, column and row, from start to end."""


class Cell(NamedTuple):
    """A cell of a plot area; rows count from the bottom."""

    column: int
    row: int


class Cells:
    """The cells of a canvas: which are occupied, and where text fits."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._reserved = np.zeros((canvas.columns, canvas.rows), dtype=bool)
        self._drawn = np.zeros_like(self._reserved)

    def along(self, xs: _Floats, ys: _Floats) -> Trail:
        """Return the cells a line passes through."""
        there, canvas = np.isfinite(xs) & np.isfinite(ys), self._canvas
        columns, rows = canvas.x.scale(xs) * canvas.columns, canvas.y.scale(ys) * canvas.rows
        ends = np.stack((columns, rows), axis=1)
        starts = np.flatnonzero(there)
        # A step into a gap, or past the end, goes nowhere.
        stops = np.minimum(starts + 1, len(xs) - 1)
        stops = np.where(there[stops], stops, starts)
        parts = 2 * np.abs(np.diff([ends[starts], ends[stops]], axis=0)[0]).max(axis=1) + 1
        counts = np.ceil(parts).astype(int)
        before = np.repeat(np.cumsum(counts) - counts, counts)
        shares = (np.arange(len(before)) - before) / np.repeat(np.maximum(counts - 1, 1), counts)
        first, last = (np.repeat(ends[which], counts, axis=0) for which in (starts, stops))
        cells: Trail = (first + shares[:, None] * (last - first)).astype(int)
        moves = np.ones(len(cells), dtype=bool)
        moves[1:] = (np.diff(cells, axis=0) != 0).any(axis=1)
        return cells[moves]

    def reserve(self, trail: Trail) -> None:
        """Keep cells free of text."""
        self._reserved[trail[:, 0], trail[:, 1]] = True

    def reserve_point(self, x: float, y: float) -> Cell:
        """Keep the cell of a point, clamped to the area, free of text; return it."""
        cell = Cell(self._canvas.x.cell(x, self._canvas.columns), self._canvas.row(y))
        self._reserved[cell] = True
        return cell

    def avoid(self, trail: Trail) -> None:
        """Mark cells that text should avoid."""
        self._drawn[trail[:, 0], trail[:, 1]] = True

    def write(self, text: str, starts: Iterable[Cell], role: str, hides: bool = True) -> None:
        """Write a text at the best start cell, and reserve its cells; nothing if none is free.

        Args:
            text: The text.
            starts: Candidates in pairs, best first; a later pair wins only if it covers less.
            role: The role of the text.
            hides: Whether the text may cover drawn cells.
        """
        best: tuple[int, Cell] | None = None
        for rank, start in enumerate(starts):
            hidden = self._hidden(start, len(text))
            if hidden is not None and (hides or not hidden):
                cost = hidden + rank // 2
                best = best if best is not None and best[0] <= cost else (cost, start)
        if best is not None:
            column, row = best[1]
            self._reserved[column : column + len(text), row] = True
            self._canvas.text(column, row, text, role)

    def write_level(self, y: float, text: str, role: str) -> None:
        """Label a line at a value where that covers the least; beyond the axis, point there.

        There no line would show the value without its label, so this may be anywhere along the
        edge or, if that is full, in the rows next to it.
        """
        beyond, row = self._canvas.beyond(y), self._canvas.row(y)
        text = f" {beyond}{text} "
        room = self._canvas.columns - len(text)
        starts = [Cell(column, row) for column in (1, room - 1, room // 2)]
        if beyond:
            inwards = range(row, len(self._drawn[0]) // 2, 1 if row == 0 else -1)
            starts += [Cell(column, near) for near in inwards for column in range(room + 1)]
        self.write(text, starts, role)

    def _hidden(self, start: Cell, length: int) -> int | None:
        """Return how many drawn cells a text would cover; None if it does not fit."""
        column, row = start
        columns, rows = self._reserved.shape
        if not (0 <= column <= columns - length and 0 <= row < rows):
            return None
        place = np.s_[column : column + length, row]
        return None if self._reserved[place].any() else int(self._drawn[place].sum())


def cut_below(xs: ArrayLike, ys: ArrayLike, bottom: float) -> tuple[_Floats, _Floats]:
    """Cut out the parts of a line below the bottom."""
    x, y = np.asarray(xs, dtype=float), np.asarray(ys, dtype=float)
    if not (y < bottom).any():
        return x, y
    above = y - bottom
    crossing = np.flatnonzero(above[:-1] * above[1:] < 0)
    share = above[crossing] / (above[crossing] - above[crossing + 1])
    at = x[crossing] + share * (x[crossing + 1] - x[crossing])
    x = np.insert(x, crossing + 1, at)
    y = np.insert(y, crossing + 1, bottom)
    return x, np.where(y < bottom, np.nan, y)
