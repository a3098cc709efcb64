"""The numbers behind a plot as a table: read out at the cursor, written to a CSV file."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.text.lines import Line, Span, clean

Cell = float | str | None
_UNKNOWN = "–"
_POINTER = "▸"


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        unit: of its numbers, such as `%`; empty for counts and texts.
        decimals: of its numbers where they are read out.
        role: the role of what is drawn from it.
    """

    name: str
    cells: Sequence[Cell]
    unit: str = ""
    decimals: int = 0
    role: str = "plain"

    def read(self, row: int) -> str:
        """A cell with its unit."""
        cell = self.cells[row]
        if isinstance(cell, str):
            return clean(cell)
        if cell is None or not math.isfinite(cell):
            return _UNKNOWN
        apart = " " if self.unit not in ("", "x") else ""
        return f"{cell:,.{self.decimals}f}{apart}{self.unit}"

    def has(self, row: int) -> bool:
        """Whether a cell is known."""
        cell = self.cells[row]
        return isinstance(cell, str) or (cell is not None and math.isfinite(cell))


@dataclass(frozen=True, slots=True)
class DataTable:
    """The numbers of a plot.

    Attributes:
        columns: all of one length.
        extras: how many of the last columns belong to the series, such as their intervals.
        keys: how many of the first columns say where a row is.
        across: how many rows lie side by side in the plot, below one another if 1; 0 for a chart
            with a point of each series in every row.
    """

    columns: tuple[Column, ...] = ()
    across: int = 0
    keys: int = 1
    extras: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].cells) if self.columns else 0

    @property
    def is_chart(self) -> bool:
        """Whether the columns are series over the first one."""
        return not self.across

    def start(self) -> tuple[int, int]:
        """The row and column where a cursor appears: in the middle of the first known series."""
        columns = range(self.keys, len(self.columns) - self.extras)
        rows = range(self.rows)
        column = next((at for at in columns if any(map(self.columns[at].has, rows))), self.keys)
        if not self.is_chart or not self.rows:
            return 0, column
        return self.moved(self.rows // 2, column, 0, 0)

    def moved(self, row: int, column: int, right: int, down: int) -> tuple[int, int]:
        """The row and column `right` steps to the right and `down` steps down, as far as they go.

        In a chart, steps to the right lead to the next points of the series, steps down to the next
        series.
        """
        if not self.rows:
            return 0, column
        if self.across:
            return min(max(row + right + down * self.across, 0), self.rows - 1), column
        column = min(max(column + down, self.keys), len(self.columns) - self.extras - 1)
        known = [at for at in range(self.rows) if self.columns[column].has(at)]
        if not known:
            return row, column
        nearest = min(range(len(known)), key=lambda place: abs(known[place] - row))
        return known[min(max(nearest + right, 0), len(known) - 1)], column

    def readout(self, row: int, column: int) -> Line:
        """The cells of a row by name, the one under the cursor first."""
        if not 0 <= row < self.rows:
            return ()
        keys, others = self.columns[: self.keys], self.columns[self.keys :]
        place = " ".join(f"{clean(key.name)} {key.read(row)}" for key in keys)
        spans = [Span(place, "title")]
        if self.is_chart and self.keys <= column < len(self.columns):
            here = self.columns[column]
            spans.append(Span(f"  {_POINTER}{clean(here.name)} {here.read(row)}", "chosen"))
            others = tuple(other for other in others if other is not here)
        for other in others:
            if other.has(row):
                spans.append(Span(f"  {clean(other.name)} {other.read(row)}", other.role))
        return tuple(spans)

    def csv(self) -> str:
        """The table as CSV; unknown cells are empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(f"{c.name} ({c.unit})" if c.unit else c.name for c in self.columns)
        writer.writerows(self._lines())
        return text.getvalue()

    def number(self, row: int | None, column: int) -> float:
        """A number; NaN if there is none."""
        if row is None or not (0 <= row < self.rows and 0 <= column < len(self.columns)):
            return math.nan
        cell = self.columns[column].cells[row]
        return float(cell) if isinstance(cell, int | float) else math.nan

    def _lines(self) -> Iterator[list[str]]:
        for row in range(self.rows):
            yield [_plain(column.cells[row]) for column in self.columns]


def merged(series: Sequence[tuple[str, dict[float, float], Column]], x: Column) -> DataTable:
    """A chart's table of series over the union of their places."""
    places = sorted({place for _, points, _ in series for place in points})
    columns = (
        column._replace(name=name, cells=tuple(points.get(place) for place in places))
        for name, points, column in series
    )
    return DataTable((x._replace(cells=tuple(places)), *columns))


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None or not math.isfinite(cell) else f"{cell:.10g}"
