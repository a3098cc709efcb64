"""Which classes both nets take for which."""

from __future__ import annotations

from tui.plots.predictions.confusion import ConfusionData
from tui.state.state import State


def data(state: State, width: int) -> ConfusionData:
    """The answers to all test images, where they are known."""
    shown = state.comparison
    counted = shown.compared.counted if shown else None
    if shown is None or counted is None:
        return ConfusionData(())
    classes = tuple(str(number) for number in range(shown.compared.classes))
    # While a job runs nothing newer may be known.
    split = "test" if state.is_current(shown) else "test (plan before)"
    net = shown.request.net_name
    return ConfusionData(classes, counted.dense, counted.pruned, split, counted.images, net)
