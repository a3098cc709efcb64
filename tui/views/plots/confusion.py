"""The confusion of classes, of both nets."""

from tui.plots.predictions.confusion import ConfusionData
from tui.state.state import State


def data(state: State, width: int) -> ConfusionData:
    """The predictions of all test images, once they are known."""
    comparison = state.comparison
    counted = comparison.compared.counted if comparison else None
    if comparison is None or counted is None:
        return ConfusionData(())
    classes = tuple(str(number) for number in range(comparison.compared.classes))
    split = "test" if state.is_current(comparison) else "test (previous plan)"
    pruned = None if comparison.request.is_dense else counted.pruned
    net = comparison.request.net_name
    return ConfusionData(classes, counted.dense, pruned, split, counted.images, net)
