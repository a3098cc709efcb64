"""Accuracy during training."""

from tui.plots.accuracy import AccuracyData
from tui.state.state import State
from tui.state.training_curve import TrainingCurve


def data(state: State, width: int) -> AccuracyData:
    """The curve of the current or the last training; empty before the first."""
    curve = state.curve or TrainingCurve(planned=state.settings.finetuning.epochs, finetuning=True)
    best = curve.best
    dense = state.dense.accuracy.validation if state.dense and curve.finetuning else None
    return AccuracyData(
        epochs=curve.planned,
        validation=tuple((float(e.epoch), e.validation) for e in curve.epochs),
        live=curve.live,
        dense=dense,
        best=(float(best.epoch), best.validation) if best else None,
        not_final=tuple(float(e.epoch) for e in curve.epochs if not e.final),
    )
