"""The confusion of classes, of both nets."""

from __future__ import annotations

from tui.plots.predictions.confusion import ConfusionData
from tui.state.state import State


def data(state: State, width: int) -> ConfusionData:
    """The predictions of all test images, once they are known."""
    shown = state.comparison
    counted = shown.compared.counted if shown else None
    if shown is None or counted is None:
        return ConfusionData(())
    classes = tuple(str(number) for number in range(shown.compared.classes))
    split = "test" if state.is_current(shown) else "test (previous plan)"
    net = shown.request.net_name
    return ConfusionData(classes, counted.dense, counted.pruned, split, counted.images, net)
