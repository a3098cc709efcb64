"""Every plot of the main screen, in the order in which `v` shows them.

What a plot called NAME draws is what `data(state, width)` in the module NAME beside this one takes
from the state. All modules of plots are imported late: NumPy comes in beside torch, not before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter

from tui.state.measurement import Need
from tui.state.state import State
from tui.text.lines import Lines


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of the state.

    Attributes:
        name: also that of the module that takes its data from the state.
        title: what it shows, in a list of plots.
        seen: what it shows of a state; the plot is drawn again only when that changes.
        drawing: the module of `tui.plots` whose `draw` draws these data.
        empty: what it says while there is nothing to show, such as the key that fills it.
        needs: what is measured in the background while it is visible.
    """

    name: str
    title: str
    seen: Callable[[State], object]
    drawing: str
    empty: str = ""
    needs: frozenset[Need] = frozenset()

    def draw(self, state: State, width: int, height: int) -> Lines:
        """Draw it; nothing before there is a base."""
        if state.base is None:
            return ()
        data = import_module(f"tui.views.plots.{self.name}").data(state, width)
        draw = import_module(f"tui.plots.{self.drawing}").draw
        lines: Lines = draw(data, width, height, *filter(None, [self.empty]))
        return lines


_FOOTPRINTS = attrgetter("base", "chosen", "footprints")
_COMPARED = attrgetter("comparison", "base", "planned", "predictions")

PLOTS = {
    plot.name: plot
    for plot in (
        Plot("histogram", "weights of the chosen layer",
            attrgetter("base", "chosen", "chosen_what_if", "tuned"), "histogram"),
        Plot("accuracy", "accuracy while training", attrgetter("curve", "dense"), "accuracy",
            empty="press f to fine-tune"),
        Plot("sensitivity", "how sensitive each layer is",
            attrgetter("base", "chosen", "what_ifs", "scan", "tolerance"), "sensitivity",
            empty="s scans: the curves grow as it goes"),
        Plot("parameters", "parameters per layer", _FOOTPRINTS, "layer_bars"),
        Plot("size", "size per layer", _FOOTPRINTS, "layer_bars"),
        Plot("files", "size as a file",
            attrgetter("base", "footprints", "finetuned", "pruned", "current"), "files"),
        Plot("speed", "speed in every engine", attrgetter("speed", "speed_is_current"), "speed",
            empty="press b to benchmark in all installed engines"),
        Plot("costs", "cost of each layer",
            attrgetter("base", "chosen", "what_ifs", "activity"), "costs",
            needs=frozenset({"costs"})),
        Plot("predictions", "test images and the answers to them", _COMPARED, "predictions.digits",
            empty="looking at test images", needs=frozenset({"images"})),
        Plot("confusion", "which classes are taken for which", _COMPARED, "predictions.confusion",
            empty="looking at every test image", needs=frozenset({"matrix"})),
    )
}  # fmt: skip
"""By name, in order."""


def from_plot(name: str, steps: int = 0, number: int = 1) -> tuple[str, ...]:
    """The names of so many plots in order; the first is so many steps after `name`."""
    names = tuple(PLOTS)
    first = names.index(name) + steps
    return tuple(names[(first + place) % len(names)] for place in range(number))


def needs_of(names: Iterable[str]) -> frozenset[Need]:
    """What is to be measured in the background while these plots are visible."""
    return frozenset().union(*(PLOTS[name].needs for name in names))


def preload() -> None:
    """Import all that drawing needs, in the thread that calls."""
    from tui.plots.drawing import canvas

    canvas.preload()
    for plot in PLOTS.values():
        import_module(f"tui.views.plots.{plot.name}")
        import_module(f"tui.plots.{plot.drawing}")
