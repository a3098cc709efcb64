"""Every plot of the main screen, in the order in which `v` shows them.

`plot_drawers` draws them; imported late, for the first screen must not wait for NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from tui.keys.keymap import with_keys
from tui.plots.data_table import DataTable
from tui.plots.subject import PlotSubject
from tui.plots.view import PLAIN, View
from tui.state.measurement import Need
from tui.state.state import State
from tui.text.lines import Line, Lines, Span

if TYPE_CHECKING:
    from tui.views.plot_drawers import Drawer


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the state.

    Attributes:
        label: its name on the screen, where its title begins.
        about: its description in the list of plots.
        inputs: the part of the state it shows; it is redrawn only when that changes.
        hint: shown while there is no data, such as the key (its action in braces) to press;
            replaced by the progress of a background measurement.
        needs: what is measured in the background while it is visible.
        scales: whether its amounts can be on a linear and on a logarithmic scale.
    """

    name: str
    label: str
    about: str
    inputs: Callable[[State], object]
    hint: str = ""
    needs: frozenset[Need] = frozenset()
    scales: bool = False

    def title(self, state: State) -> Line:
        """Its title, for a frame or a rule, the most important part first.

        Each part has the separator before it, so that the last ones can be left out.
        """
        if state.base is None:
            return (Span(self.label, "title"),)
        return self._drawer.title(state)

    def subject(self, state: State) -> PlotSubject:
        """It for the whole screen."""
        return PlotSubject(
            self.name,
            (self.name, self.inputs(state), state.measuring if self.needs else ""),
            partial(self.title, state),
            partial(self.draw, state),
            partial(self.table, state),
            self.scales,
        )

    def draw(self, state: State, width: int, height: int, view: View = PLAIN) -> Lines:
        """Draw it; empty before there is a base.

        Where a frame shows the title, `view` leaves it out: `FRAMED`.
        """
        if state.base is None:
            return ()
        hint = state.measuring if self.needs and state.measuring else with_keys(self.hint)
        return self._drawer.draw(state, width, height, hint, view)

    def table(self, state: State, width: int) -> DataTable:
        """Its data, as far as a plot of a width shows them; empty before there is a base."""
        if state.base is None:
            return DataTable()
        return self._drawer.table(state, width)

    @property
    def _drawer(self) -> Drawer[Any]:
        from tui.views.plot_drawers import DRAWERS

        return DRAWERS[self.name]


FRAMED = View(header=False)
"""How a plot is drawn below its own title in a frame or a rule."""

_FOOTPRINTS = attrgetter("base", "chosen", "footprints")
_COMPARED = attrgetter("comparison", "base", "planned", "images", "measuring")

PLOTS = {
    plot.name: plot
    for plot in (
        Plot("histogram", "Weights", "weights of the selected layer",
            attrgetter("base", "chosen", "chosen_what_if", "net")),
        Plot("accuracy", "Accuracy", "accuracy while training", attrgetter("curve", "dense"),
            hint="press {fine-tune} to fine-tune"),
        Plot("sensitivity", "Sensitivity", "how sensitive each layer is",
            attrgetter("base", "chosen", "what_ifs", "scan", "tolerance"),
            hint="press {scan} to scan; curves appear as it runs"),
        Plot("parameters", "Parameters", "parameters per layer", _FOOTPRINTS, scales=True),
        Plot("size", "Size", "size per layer", _FOOTPRINTS, scales=True),
        Plot("files", "Files", "file size",
            attrgetter("base", "footprints", "finetuned", "reconstructed", "pruned", "current")),
        Plot("speed", "Speed", "speed in each engine", attrgetter("speed", "speed_is_current"),
            hint="press {benchmark} to benchmark in all installed engines"),
        Plot("costs", "Cost", "cost per layer",
            attrgetter("base", "chosen", "what_ifs", "layer_activity", "measuring"),
            needs=frozenset({"costs"})),
        Plot("predictions", "Predictions", "test images and predictions", _COMPARED,
            hint="predicting test images", needs=frozenset({"images"})),
        Plot("confusion", "Confusion", "which classes are confused", _COMPARED,
            hint="predicting every test image", needs=frozenset({"matrix"})),
    )
}  # fmt: skip
"""By name, in order."""


def from_plot(name: str, steps: int = 0, number: int = 1) -> tuple[str, ...]:
    """The names of `number` plots in order, from `steps` after `name`."""
    names = tuple(PLOTS)
    first = names.index(name) + steps
    return tuple(names[(first + place) % len(names)] for place in range(number))


def needs_of(names: Iterable[str]) -> frozenset[Need]:
    """What to measure in the background while these plots are visible."""
    return frozenset().union(*(PLOTS[name].needs for name in names))
