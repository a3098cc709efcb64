"""A plot for the whole screen: how it is drawn now, and when it is another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.plots.data_table import DataTable
from tui.plots.view import View
from tui.text.lines import Line, Lines


@dataclass(frozen=True, slots=True)
class PlotSubject:
    """A plot of something that may change.

    Attributes:
        name: of the plot, for files.
        version: equal as long as it looks the same.
        scales: whether it has a linear and a logarithmic scale.
    """

    name: str
    version: object
    title: Callable[[], Line]
    draw: Callable[[int, int, View], Lines]
    table: Callable[[int], DataTable]
    scales: bool = False
