"""The next background measurement a state needs, and the state with its results."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from core.events import Progress
from core.pruning.curves import SampleUpdated
from tui.state.measurement import Comparison, Estimate, LayerActivity, MeasurementRequest, Need
from tui.state.state import State
from tui.text.format import count

if TYPE_CHECKING:
    from core.events import Event


def request_for(state: State, needs: Collection[Need]) -> MeasurementRequest | None:
    """What to measure while plots with these needs are visible; None for nothing."""
    if state.base is None or state.dense is None:
        return None
    estimated = state.estimate is not None and state.estimate.sample.exact
    known = state.untouched or state.is_current(state.pruned) or estimated
    request = MeasurementRequest(
        state.dense,
        state.base,
        state.planned,
        state.net,
        accuracy=not known,
        images=state.images if {"images", "matrix"} & set(needs) else None,
        matrix="matrix" in needs,
        costs="costs" in needs,
        net_name=state.stage,
        settings=state.settings,
    )
    if state.layer_activity and state.layer_activity.request.nets == request.nets:
        request = replace(request, costs=False)
    if request.images and state.comparison and state.comparison.covers(request):
        request = replace(request, images=None, matrix=False)
    return request if request.accuracy or request.images or request.costs else None


def with_event(state: State, request: MeasurementRequest, event: Event) -> State:
    """The state with an event of a background measurement."""
    from core.measure.comparison import ComparisonUpdated  # late: these load NumPy
    from core.measure.costs import ActivityMeasured
    from core.measure.recalibration import RECALIBRATING

    match event:
        case SampleUpdated(sample):
            return replace(state, last_estimate=Estimate(request.key, sample))
        case ComparisonUpdated(compared):
            return replace(state, comparison=Comparison(request, compared))
        case ActivityMeasured():
            return replace(state, layer_activity=LayerActivity(request, event))
        case Progress(step, done, total, unit):
            # Counts of what takes a moment would only redraw the plots.
            counted = total and step != RECALIBRATING
            so_far = f": {count(done)} of {count(total)} {unit}" if counted else ""
            return replace(state, measuring=step + so_far)
        case _:
            return state
