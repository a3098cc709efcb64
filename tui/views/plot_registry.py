"""Every plot of the main screen, in the order in which `v` shows them.

`plot_drawers` draws them; imported late, for the first screen must not wait for NumPy.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter

from tui.keys.keymap import with_keys
from tui.state.measurement import Need
from tui.state.state import State
from tui.text.lines import Lines


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the state.

    Attributes:
        title: its description in the list of plots.
        inputs: the part of the state it shows; it is redrawn only when that changes.
        hint: shown while there is no data, such as the key (its action in braces) to press;
            replaced by the progress of a background measurement.
        needs: what is measured in the background while it is visible.
    """

    name: str
    title: str
    inputs: Callable[[State], object]
    hint: str = ""
    needs: frozenset[Need] = frozenset()

    def draw(self, state: State, width: int, height: int) -> Lines:
        """Draw it; empty before there is a base."""
        if state.base is None:
            return ()
        from tui.views.plot_drawers import DRAWERS

        hint = state.measuring if self.needs and state.measuring else with_keys(self.hint)
        return DRAWERS[self.name](state, width, height, *([hint] if self.hint else []))


_FOOTPRINTS = attrgetter("base", "chosen", "footprints")
_COMPARED = attrgetter("comparison", "base", "planned", "images", "measuring")

PLOTS = {
    plot.name: plot
    for plot in (
        Plot("histogram", "weights of the selected layer",
            attrgetter("base", "chosen", "chosen_what_if", "tuned")),
        Plot("accuracy", "accuracy while training", attrgetter("curve", "dense"),
            hint="press f to fine-tune"),
        Plot("sensitivity", "how sensitive each layer is",
            attrgetter("base", "chosen", "what_ifs", "scan", "tolerance"),
            hint="press s to scan; curves appear as it runs"),
        Plot("parameters", "parameters per layer", _FOOTPRINTS),
        Plot("size", "size per layer", _FOOTPRINTS),
        Plot("files", "file size",
            attrgetter("base", "footprints", "finetuned", "pruned", "current")),
        Plot("speed", "speed in each engine", attrgetter("speed", "speed_is_current"),
            hint="press b to benchmark in all installed engines"),
        Plot("costs", "cost per layer",
            attrgetter("base", "chosen", "what_ifs", "layer_activity", "measuring"),
            needs=frozenset({"costs"})),
        Plot("predictions", "test images and predictions", _COMPARED,
            hint="predicting test images", needs=frozenset({"images"})),
        Plot("confusion", "which classes are confused", _COMPARED,
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
