"""Draws each plot of the main screen with its data from the state; loads NumPy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import ReferenceType, ref

from tui.plots import accuracy, costs, files, histogram, layer_bars, sensitivity, speed
from tui.plots.data_table import DataTable
from tui.plots.predictions import confusion, images
from tui.plots.view import View
from tui.state.state import State
from tui.text.lines import Line, Lines
from tui.views import plot_data as of

D = TypeVar("D")
Contra = TypeVar("Contra", contravariant=True)

_TITLE_WIDTH = 80
"""A width for the data of a title, which says nothing that depends on it."""


class _Draw(Protocol[Contra]):
    """How a plot is drawn from its data."""

    def __call__(self, data: Contra, width: int, height: int, hint: str, view: View) -> Lines:
        """Fill exactly the area."""


@dataclass(frozen=True, slots=True)
class Drawer(Generic[D]):
    """A plot: where its data come from, its title, how it is drawn, and its data as a table."""

    prepare: Callable[[State, int], D]
    title_of: Callable[[D], Line]
    draw_data: _Draw[D]
    table_of: Callable[[D], DataTable]

    _last: list[tuple[ReferenceType[State], int, D]] = field(default_factory=list)

    def data(self, state: State, width: int) -> D:
        """Its data at a width; 0 if that does not matter.

        The last data are kept: title, lines and table of one state need the same. Of the state
        there is only a weak reference, since it may be the last to hold a net.
        """
        if self._last:
            reference, its_width, data = self._last[0]
            if reference() is state and width in (0, its_width):
                return data
        data = self.prepare(state, width or _TITLE_WIDTH)
        self._last[:] = [(ref(state), width, data)]
        return data

    def title(self, state: State) -> Line:
        """Its title."""
        return self.title_of(self.data(state, 0))

    def draw(self, state: State, width: int, height: int, hint: str, view: View) -> Lines:
        """Draw it in an area."""
        return self.draw_data(self.data(state, width), width, height, hint, view)

    def table(self, state: State, width: int) -> DataTable:
        """Its data at a width."""
        return self.table_of(self.data(state, width))


DRAWERS: Mapping[str, Drawer[Any]] = {
    "histogram": Drawer(of.histogram, histogram.title, histogram.draw, histogram.table),
    "accuracy": Drawer(of.accuracy, accuracy.title, accuracy.draw, accuracy.table),
    "sensitivity": Drawer(of.sensitivity, sensitivity.title, sensitivity.draw, sensitivity.table),
    "parameters": Drawer(of.parameters, layer_bars.title, layer_bars.draw, layer_bars.table),
    "size": Drawer(of.size, layer_bars.title, layer_bars.draw, layer_bars.table),
    "files": Drawer(of.files, files.title, files.draw, files.table),
    "speed": Drawer(of.speed, speed.title, speed.draw, speed.table),
    "costs": Drawer(of.costs, costs.title, costs.draw, costs.table),
    "predictions": Drawer(of.predictions, images.title, images.draw, images.table),
    "confusion": Drawer(of.confusion, confusion.title, confusion.draw, confusion.table),
}
"""By the names of `plot_registry`."""
