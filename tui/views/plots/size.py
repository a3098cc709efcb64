"""Bytes of each layer, dense and pruned."""

from tui.plots.layer_bars import SIZE, LayerBarsData
from tui.state.state import State


def data(state: State, width: int) -> LayerBarsData:
    """The bytes the plan keeps in each layer."""
    dense = tuple(cost.dense_bytes for cost in state.footprints)
    pruned = tuple(cost.pruned_bytes for cost in state.footprints)
    return LayerBarsData(SIZE, state.layer_names, dense, pruned, state.chosen)
