"""Signs of an undertrained net, on numbers at both sides of each limit."""

import numpy as np
import pytest
import torch

from core.data.batches import Images, Splits
from core.events import Accuracy, Epoch
from core.measure.undertraining import guessing, is_guessing, is_unclear, late_gain, points_ahead


def images(labels: list[int]) -> Images:
    count = len(labels)
    return Images(torch.zeros(count, 1, 2, 2, dtype=torch.uint8), torch.tensor(labels), 0.0, 1.0)


def epochs(*validation: float) -> list[Epoch]:
    return [Epoch(at, 1.0, score, 1.0, 0.0, True, 0) for at, score in enumerate(validation, 1)]


def test_guessing_is_right_as_often_as_the_most_common_class() -> None:
    data = Splits(images([0]), images([0, 1, 1, 2]), images([2, 2, 2, 1]))
    assert guessing(data) == Accuracy(50.0, 75.0)


@pytest.mark.parametrize(
    ("accuracy", "count", "guesses", "unclear"),
    [
        (10.0, 5000, True, False),
        (10.5, 5000, True, False),
        (12.0, 5000, False, False),
        (14.0, 100, True, True),
        (10.0, 100, True, False),
    ],
)
def test_a_net_guesses_if_its_interval_reaches_chance(
    accuracy: float, count: int, guesses: bool, unclear: bool
) -> None:
    measured, guess = Accuracy(accuracy, accuracy, (count, count)), Accuracy(10.0, 10.0)
    assert is_guessing(measured, guess) is guesses
    assert is_unclear(measured, guess) is unclear


def test_a_training_that_rises_at_its_end_was_cut_short() -> None:
    assert late_gain(epochs(50, 60, 70, 80), 5000) == pytest.approx(10)
    assert late_gain(epochs(50, 80, 79.9, 81), 5000) == 0
    assert late_gain(epochs(50, 60, 70), 5000) == 0
    assert late_gain(epochs(50, 60, 70, 80), 50) == 0


def test_only_a_lead_beyond_chance_counts() -> None:
    dense = Accuracy(90.0, 90.0, (5000, 5000))
    assert points_ahead(Accuracy(93.0, 0.0), dense) == pytest.approx(3)
    assert points_ahead(Accuracy(90.9, 0.0), dense) == 0
    assert points_ahead(Accuracy(93.0, 0.0), Accuracy(90.0, 90.0, (78, 78))) == 0
    assert np.isclose(points_ahead(Accuracy(99.0, 0.0), Accuracy(90.0, 90.0, (78, 78))), 9)
