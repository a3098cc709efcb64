"""Draws each plot of the main screen with its data from the state; loads NumPy."""

from collections.abc import Callable
from typing import Concatenate, TypeVar

from tui.plots import accuracy, costs, files, histogram, layer_bars, sensitivity, speed
from tui.plots.predictions import confusion, images
from tui.state.state import State
from tui.text.lines import Lines
from tui.views import plot_data

D = TypeVar("D")


def _drawer(
    data: Callable[[State, int], D], draw: Callable[Concatenate[D, int, int, ...], Lines]
) -> Callable[Concatenate[State, int, int, ...], Lines]:
    return lambda state, width, height, *hint: draw(data(state, width), width, height, *hint)


DRAWERS = {
    "histogram": _drawer(plot_data.histogram, histogram.draw),
    "accuracy": _drawer(plot_data.accuracy, accuracy.draw),
    "sensitivity": _drawer(plot_data.sensitivity, sensitivity.draw),
    "parameters": _drawer(plot_data.parameters, layer_bars.draw),
    "size": _drawer(plot_data.size, layer_bars.draw),
    "files": _drawer(plot_data.files, files.draw),
    "speed": _drawer(plot_data.speed, speed.draw),
    "costs": _drawer(plot_data.costs, costs.draw),
    "predictions": _drawer(plot_data.predictions, images.draw),
    "confusion": _drawer(plot_data.confusion, confusion.draw),
}
"""By the names of `plot_registry`; after the height, some take a hint."""
