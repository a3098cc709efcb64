"""A plot of the state as a widget: drawn again only when its numbers or its size change."""

from __future__ import annotations

from tui.lines import Lines
from tui.state import State
from tui.widgets.lines import LinesWidget


class PlotPanel(LinesWidget, can_focus=True):
    """One of the plots, named in `show`."""

    HELP = """
    # The plots
    v shows the next one: weights of the chosen layer, accuracy while training, the sensitivities,
    parameters and size per layer, what the net takes in a file, how fast it is, what each layer
    costs, digits, and which classes are taken for which.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._drawn: object = None
        self._shown: tuple[State, str] | None = None

    def show(self, state: State, name: str) -> None:
        """Draw the plot called `name`, unless that is what is there already."""
        self._shown = state, name
        width, height = self.size
        before, self._drawn = self._drawn, None
        with self.drawing():
            self._drawn = (name, width, height, _seen_by(state, name))
            if self._drawn != before:
                self.lines = _draw(state, name, width, height)

    def on_resize(self) -> None:
        """Fit the new size, which changes with the terminal's and with the lines below."""
        if self._shown is not None:
            self.show(*self._shown)


def _seen_by(state: State, name: str) -> object:
    """What of the state a plot depends on."""
    match name:
        case "histogram":
            applied = state.cuts[state.chosen : state.chosen + 1]
            return state.base, state.chosen, applied, state.is_current(state.finetuned)
        case "accuracy":
            return state.course, state.dense and state.dense.accuracy
        case "digits" | "confusion":
            return state.sight, state.base, state.planned, state.digits, state.looking
        case "files":
            results = (state.finetuned, state.pruned)
            return state.base, state.footprints, results, state.current
        case "costs":
            return state.base, state.chosen, state.cuts, state.counts, state.looking
        case "speed":
            return state.speed, state.speed_is_now
        case "sensitivity":
            return state.base, state.chosen, state.cuts, state.scan, state.tolerance
        case _:
            return state.base, state.chosen, state.footprints


def _draw(state: State, name: str, width: int, height: int) -> Lines:
    if state.base is None:
        return ()
    # NumPy and plotext come in beside torch, in the thread of the job that opens the base.
    from tui.views.plot import plot

    return plot(state, name, width, height)
