"""The lines above a plot: its title, unless a frame shows it, and its legend."""

from collections.abc import Sequence

from tui.plots.view import View
from tui.text.lines import Line, Lines, Span, blank, header

ROOMY = 8
"""From this height on, title included, the legend has a line of its own."""


def heading(title: Line, legend: Sequence[Span], width: int, height: int, view: View) -> Lines:
    """Lay out a title and a legend for a plot of a height.

    Below a frame's title a low plot has no legend, a higher one always has its line, even an empty
    one: a legend that comes or goes must not move the plot.
    """
    rows = 2 if height >= ROOMY else 1
    if view.header:
        return header(title, legend, width, rows)
    if height < ROOMY - 1:
        return ()
    return header(legend, (), width, 1) if legend else blank(width, 1)


def title_only(title: Line, width: int, view: View) -> Lines:
    """The title of a plot without a legend."""
    return header(title, (), width, 1) if view.header else ()
