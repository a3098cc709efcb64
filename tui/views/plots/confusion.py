"""The confusion of classes, of both nets."""

from tui.plots.predictions.confusion import ConfusionData
from tui.state.state import State


def data(state: State, width: int) -> ConfusionData:
    """The predictions of all test images, once they are known."""
    comparison = state.comparison
    counts = comparison.compared.counts if comparison else None
    if comparison is None or counts is None:
        return ConfusionData(())
    classes = tuple(str(number) for number in range(comparison.compared.classes))
    split = "test" if state.is_current(comparison) else "test (previous plan)"
    pruned = None if comparison.request.is_dense else counts.pruned
    net = comparison.request.net_name
    return ConfusionData(classes, counts.dense, pruned, split, counts.images, net)
