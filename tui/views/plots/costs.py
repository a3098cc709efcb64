"""The cost of each layer: weights and FLOPs, before and after pruning."""

from itertools import zip_longest

from core.measure.costs import cost_table
from tui.plots.costs import CostsData, CostsRow
from tui.state.state import State
from tui.text.format import count


def data(state: State, width: int) -> CostsData:
    """The plan's fractions at once, and measured activity once it is available."""
    activity, parameters = state.layer_activity, state.footprint.parameters
    known = state.is_current(activity)
    table = cost_table(
        state.settings.model,
        [profile.layer for profile in state.profiles],
        {name: w.kept for name, w in zip(state.layer_names, state.what_ifs, strict=True)},
        activity.counted.activities if activity and known else {},
        parameters,
    )
    paper = (*table.paper.layers, table.paper.total) if table.paper else ()
    rows = [
        CostsRow(
            row.name,
            row.weights,
            row.kept,
            row.flops if known else None,
            row.act,
            row.flops_kept if known else None,
            (str(printed.act), f"{printed.kept:g}", str(printed.flops_kept)) if printed else None,
        )
        for row, printed in zip_longest((*table.layers, table.total), paper)
    ]
    caption = state.measuring or "counting ..."
    if activity and known:
        images = f"{count(activity.counted.images)} {activity.counted.split} images"
        caption = f"{activity.request.net_name}, {images}"
    return CostsData(tuple(rows[:-1]), rows[-1], state.chosen, caption)
