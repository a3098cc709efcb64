"""The floating-point filter: the answers of float32, whatever the coarse logits."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.measure.bf16_filter import FIRST_CHECKS, SAFETY, Bf16Filter, margins

IMAGES, CLASSES = 400, 10


def logits(seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(IMAGES, CLASSES, generator=torch.Generator().manual_seed(seed))


def noise(seed: int, size: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return size * (2 * torch.rand(IMAGES, CLASSES, generator=generator) - 1)


class Exact:
    """Gives float32 logits and remembers which were asked for."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        self.asked: set[int] = set()

    def __call__(self, index: Tensor) -> Tensor:
        self.asked |= set(index.tolist())
        return self.logits[index]


@given(seed=st.integers(0, 2**32), size=st.sampled_from([0.0, 1e-3, 0.02, 0.3, 2.0]))
def test_the_answers_are_those_of_float32(seed: int, size: float) -> None:
    predictor = Bf16Filter()
    for batch in range(3):
        exact = logits(seed + batch)
        coarse = exact + noise(seed - 1 - batch, size)
        predict = predictor.filtered(coarse, Exact(exact))
        assert torch.equal(predict, exact.argmax(1))
    assert predictor.sound


def test_few_are_asked_for_where_the_error_is_small() -> None:
    predictor, exact = Bf16Filter(), Exact(logits(0))
    asked = []
    for _ in range(3):
        exact.asked.clear()
        predictor.filtered(exact.logits + noise(1, 1e-3), exact)
        asked.append(len(exact.asked))
    assert 90 <= asked[0] <= 150
    assert asked[0] + asked[1] >= FIRST_CHECKS
    assert 1 <= asked[2] <= 20


def test_small_batches_are_all_checked_until_enough_are() -> None:
    predictor, exact = Bf16Filter(), logits(0)
    asked = []
    for batch in exact.split(10):
        some = Exact(batch)
        predictor.filtered(batch, some)
        asked.append(len(some.asked))
    assert asked[:12] == [10] * 12
    assert max(asked[13:]) < 10


def test_every_small_margin_is_asked_for() -> None:
    predictor, exact = Bf16Filter(), Exact(logits(0))
    coarse = exact.logits + noise(1, 0.05)
    predictor.filtered(coarse, exact)
    error = (coarse - exact.logits)[::4].amax(1) - (coarse - exact.logits)[::4].amin(1)
    doubtful = margins(coarse) <= SAFETY * error.max()
    assert set(doubtful.nonzero().flatten().tolist()) <= exact.asked
    assert len(exact.asked) < IMAGES


def test_an_error_beyond_what_was_trusted_is_noticed() -> None:
    predictor = Bf16Filter()
    predictor.filtered(logits(0), Exact(logits(0)))
    assert predictor.sound
    predictor.filtered(logits(1) + noise(2, 50.0), Exact(logits(1)))
    assert not predictor.sound


def test_what_is_not_a_number_is_asked_for() -> None:
    exact = logits(0)
    coarse = exact.clone()
    coarse[5], coarse[7, 3], coarse[9] = math.nan, math.inf, -math.inf
    asked = Exact(exact)
    assert torch.equal(Bf16Filter().filtered(coarse, asked), exact.argmax(1))
    assert {5, 7, 9} <= asked.asked


def test_ties_are_counted() -> None:
    exact = torch.tensor([[1.0, 1.0 + 1e-6, 0.0], [3.0, 1.0, 0.0], [2.0, 2.0, 0.0]])
    predictor = Bf16Filter()
    predictor.exact(exact)
    assert predictor.ties == 2
    filtered = Bf16Filter()
    filtered.filtered(exact.bfloat16(), Exact(exact))
    assert filtered.ties == 2


def test_one_class_has_no_margin() -> None:
    assert margins(torch.zeros(3, 1)).tolist() == [math.inf] * 3
