"""The weights of the selected layer."""

from tui.plots.drawing.weight_bins import bins
from tui.plots.histogram import HistogramData
from tui.state.state import State


def data(state: State, width: int) -> HistogramData:
    """The pruned weights or, if fine-tuned to this plan, the fine-tuned ones."""
    profile, applied = state.profiles[state.chosen], state.what_ifs[state.chosen]
    name = profile.layer.name
    if state.tuned is not None:
        profile = state.tuned.profiles[state.chosen]
        applied, name = profile.what_if(profile.floor), f"fine-tuned {name}"
    counted = profile.histogram(applied, bins(width))
    return HistogramData(
        layer=name,
        edges=counted.edges,
        counts_all=counted.before,
        counts_kept=counted.after,
        threshold=applied.threshold,
    )
