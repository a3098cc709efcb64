"""How the main screen's panels share a terminal of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tui.state.state import State
from tui.text.frames import Frame, frame_rows
from tui.views.panels.scoreboard import ROWS

WIDE, HIGH = 110, 24
"""Least width and height for boxes, with the layers on the left and plots on the right."""

SHORT = 22
"""Below this height even the rules above panels would take too much."""

SHARE, LEAST_LEFT, MOST_LEFT = 0.47, 58, 100
"""The share of the width that the layers get, within limits."""

PLOT_WIDTH, GRID_HEIGHTS = 42, (26, 50)
"""Least width of a plot in the grid, and the heights from which it has two and three rows."""

PLOT_ROWS = 12
"""Least height of a plot below the layers, with its frame."""

ROOMY_TABLE = 24
"""Rows of a table, with its frame, that are enough to scroll in, with a plot below."""

AROUND = 4
"""Rows of the title, the activity and the keys."""

MOST_MATCHES = 12
"""Rows kept free for the matches of a search."""

LEAST_ROWS = 5
"""Rows of layers kept free before there is a net."""

LEAST_TABLE, BESIDE_TABLE = 6, 16
"""Least rows of the table, and rows that it leaves for everything else where all is stacked."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where panels go.

    Attributes:
        frame: around each panel.
        left: the width of the layers, the scoreboard and the plot below them; 0 if panels are
            stacked over the whole width.
        table: the rows of the layer table, with its frame; 0 for what the scoreboard leaves.
        left_plot: whether the first plot is below the layers.
        columns, rows: of the grid of plots on the right.
    """

    frame: Frame
    left: int
    table: int
    left_plot: bool
    columns: int = 0
    rows: int = 0

    @property
    def plots(self) -> int:
        """The number of visible plots."""
        return self.left_plot + self.columns * self.rows

    @property
    def scoreboard(self) -> int:
        """The rows of the scoreboard, with its frame."""
        return ROWS[self.frame] + frame_rows(self.frame)

    @classmethod
    def of(cls, state: State, width: int, height: int) -> Self:
        """Arrange the panels that show a state, in a terminal of so many cells."""
        if width < WIDE or height < HIGH:
            frame: Frame = "rule" if height >= SHORT else "none"
            most = max(LEAST_TABLE, height - BESIDE_TABLE)
            table = min(1 + _listed_rows(state), most) + frame_rows(frame)
            return cls(frame, 0, table, left_plot=True)
        left = min(max(round(SHARE * width), LEAST_LEFT), MOST_LEFT)
        columns = max(1, (width - left) // PLOT_WIDTH)
        rows = 1 + sum(height >= each for each in GRID_HEIGHTS)
        edges = frame_rows("box")
        table = 1 + _all_rows(state) + edges
        most = height - AROUND - ROWS["box"] - edges - PLOT_ROWS
        left_plot = table <= most or most >= ROOMY_TABLE
        if table > most:  # folded, it leaves the plot its rows; unfolded, it scrolls
            table = min(1 + _listed_rows(state) + edges, most)
        return cls("box", left, table if left_plot else 0, left_plot, columns, rows)


def _listed_rows(state: State) -> int:
    """The rows that the table lists; constant during a search, so that nothing moves."""
    listing = state.listing
    most = min(len(listing.layers) + 1, MOST_MATCHES) if listing.filter else len(listing.rows)
    return max(1, most)


def _all_rows(state: State) -> int:
    """The rows of the table with nothing folded, whatever is."""
    return max(LEAST_ROWS, len(state.listing.groups) + len(state.listing.layers))
