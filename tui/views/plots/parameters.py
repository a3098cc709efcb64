"""Parameters of each layer, all and kept."""

from tui.plots.layer_bars import PARAMETERS, LayerBarsData
from tui.state.state import State


def data(state: State, width: int) -> LayerBarsData:
    """The parameters the plan keeps in each layer."""
    dense = tuple(cost.parameters for cost in state.footprints)
    kept = tuple(cost.nonzero for cost in state.footprints)
    return LayerBarsData(PARAMETERS, state.layer_names, dense, kept, state.chosen)
