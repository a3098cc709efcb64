"""The curve of a training."""

from __future__ import annotations

from core.events import Batch
from tui.state.training_curve import MOST_POINTS, TrainingCurve


def batch(number: int, of: int, accuracy: float = 50.0) -> Batch:
    """A batch of an epoch of so many, one image each."""
    return Batch(
        epoch=1, epochs=1, seen=number, images=of, loss=1.0, accuracy=accuracy, seconds=0.0
    )


def test_a_curve_has_at_most_so_many_points_from_the_first_batch_to_the_last() -> None:
    curve, number = TrainingCurve(1, finetuning=True), 3 * MOST_POINTS
    for at in range(1, number + 1):
        curve = curve.after(batch(at, number, accuracy=100.0 * at / number))
    places = [place for place, *_ in curve.live]
    assert MOST_POINTS / 2 <= len(places) <= MOST_POINTS
    assert places == sorted(places)
    assert places[0] == 1 / number
    assert places[-1] == 1
    assert abs(curve.live[-1][1] - 100.0) < 0.1, "the smoothing goes on over what is dropped"
