"""Every plot of the main screen, in the order in which `v` shows them.

The function NAME in `plot_data` takes the data of the plot NAME from the state, and a module of
`tui.plots` draws them. Both are imported late: they load NumPy, which the first screen must not
wait for.
"""

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
        name: also that of the function in `plot_data`.
        title: its description in the list of plots.
        inputs: the part of the state it shows; it is redrawn only when that changes.
        module: the one of `tui.plots` that draws it.
        hint: shown while there are no data, such as the key that fills it; the progress of the
            background measurement takes its place.
        needs: what is measured in the background while it is visible.
    """

    name: str
    title: str
    inputs: Callable[[State], object]
    module: str
    hint: str = ""
    needs: frozenset[Need] = frozenset()

    def draw(self, state: State, width: int, height: int) -> Lines:
        """Draw it; empty before there is a base."""
        if state.base is None:
            return ()
        data = getattr(import_module("tui.views.plot_data"), self.name)(state, width)
        draw = import_module(f"tui.plots.{self.module}").draw
        hint = state.measuring if self.needs and state.measuring else self.hint
        lines: Lines = draw(data, width, height, *([hint] if self.hint else []))
        return lines


_FOOTPRINTS = attrgetter("base", "chosen", "footprints")
_COMPARED = attrgetter("comparison", "base", "planned", "images", "measuring")

PLOTS = {
    plot.name: plot
    for plot in (
        Plot("histogram", "weights of the selected layer",
            attrgetter("base", "chosen", "chosen_what_if", "tuned"), "histogram"),
        Plot("accuracy", "accuracy while training", attrgetter("curve", "dense"), "accuracy",
            hint="press f to fine-tune"),
        Plot("sensitivity", "how sensitive each layer is",
            attrgetter("base", "chosen", "what_ifs", "scan", "tolerance"), "sensitivity",
            hint="press s to scan; curves grow as it runs"),
        Plot("parameters", "parameters per layer", _FOOTPRINTS, "layer_bars"),
        Plot("size", "size per layer", _FOOTPRINTS, "layer_bars"),
        Plot("files", "file size",
            attrgetter("base", "footprints", "finetuned", "pruned", "current"), "files"),
        Plot("speed", "speed in each engine", attrgetter("speed", "speed_is_current"), "speed",
            hint="press b to benchmark in all installed engines"),
        Plot("costs", "cost of each layer",
            attrgetter("base", "chosen", "what_ifs", "layer_activity", "measuring"), "costs",
            needs=frozenset({"costs"})),
        Plot("predictions", "test images and predictions", _COMPARED, "predictions.images",
            hint="predicting test images", needs=frozenset({"images"})),
        Plot("confusion", "which classes are confused", _COMPARED, "predictions.confusion",
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


def preload() -> None:
    """Import everything that drawing needs, in the calling thread."""
    from tui.plots.drawing import canvas

    canvas.load_plotext()
    import_module("tui.views.plot_data")
