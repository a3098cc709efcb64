"""Parameters of each layer, all and kept."""

from __future__ import annotations

from tui.plots.parameters import ParametersData
from tui.state.state import State


def data(state: State, width: int) -> ParametersData:
    """What the plan keeps of each layer."""
    return ParametersData(
        layers=state.layer_names,
        dense=tuple(cost.parameters for cost in state.footprints),
        kept=tuple(cost.nonzero for cost in state.footprints),
        chosen=state.chosen,
    )
