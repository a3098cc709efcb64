"""Bytes of each layer, dense and pruned."""

from __future__ import annotations

from tui.plots.size import SizeData
from tui.state.state import State


def data(state: State, width: int) -> SizeData:
    """What the plan keeps of each layer, in bytes."""
    return SizeData(
        layers=state.layer_names,
        dense_bytes=tuple(cost.dense_bytes for cost in state.footprints),
        pruned_bytes=tuple(cost.pruned_bytes for cost in state.footprints),
        chosen=state.chosen,
    )
