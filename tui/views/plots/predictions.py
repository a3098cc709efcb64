"""Test images, and what both nets say they are."""

from __future__ import annotations

from tui.plots.predictions.images import ImagePredictions, PredictionsData
from tui.state.state import State
from tui.text.format import count


def data(state: State, width: int) -> PredictionsData:
    """The images that were seen last, and what both nets say."""
    shown = state.comparison
    if shown is None:
        return PredictionsData(())
    compared, asked, net = shown.compared, shown.request.images, shown.request.net_name
    before = "" if state.is_current(shown) else " (plan before)"
    found = (
        ImagePredictions(
            pixels,
            str(label),
            dense=(str(compared.dense.classes[at]), float(compared.dense.confidences[at])),
            pruned=(str(compared.pruned.classes[at]), float(compared.pruned.confidences[at])),
        )
        for at, (pixels, label) in enumerate(zip(compared.pixels, compared.labels, strict=True))
    )
    if asked is not None and asked.mode == "wrong":
        counted = compared.counted
        number = f"{count(counted.newly_wrong)} " if counted else ""
        caption = f"{number}newly wrong when {net}{before} · D next ten, d one per class"
    else:
        caption = f"test images{before} · D next ten, d newly wrong"
    if asked != state.images:
        caption = "predicting"
        caption += " every test image" * (state.images.mode == "wrong")
    return PredictionsData(tuple(found), caption, net)
