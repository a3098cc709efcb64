"""Test images with both nets' predictions."""

from tui.plots.predictions.images import ImagePredictions, PredictionsData
from tui.state.state import State
from tui.text.format import count


def data(state: State, width: int) -> PredictionsData:
    """The last predicted images."""
    comparison = state.comparison
    if comparison is None:
        return PredictionsData(())
    compared, selection, net = (
        comparison.compared,
        comparison.request.images,
        comparison.request.net_name,
    )
    before = "" if state.is_current(comparison) else " (previous plan)"
    predictions = (
        ImagePredictions(
            pixels,
            str(label),
            dense=(str(compared.dense.classes[at]), float(compared.dense.confidences[at])),
            pruned=(str(compared.pruned.classes[at]), float(compared.pruned.confidences[at])),
        )
        for at, (pixels, label) in enumerate(zip(compared.pixels, compared.labels, strict=True))
    )
    if selection is not None and selection.mode == "wrong":
        confusion = compared.counts
        number = f"{count(confusion.newly_wrong)} " if confusion else ""
        caption = f"{number}newly wrong when {net}{before} · D next ten, d one per class"
    else:
        caption = f"test images{before} · D next ten, d newly wrong"
    if selection != state.images:
        every = " every test image" * (state.images.mode == "wrong")
        caption = state.measuring or f"predicting{every}"
    return PredictionsData(tuple(predictions), caption, net)
