"""The floating-point filter: the predictions of float32, whatever the coarse logits."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.measure.coarse_filter import FIRST_CHECKS, SAFETY, CoarseFilter, margins

IMAGES, CLASSES = 400, 10


def logits(seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(IMAGES, CLASSES, generator=torch.Generator().manual_seed(seed))


def noise(seed: int, size: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return size * (2 * torch.rand(IMAGES, CLASSES, generator=generator) - 1)


class Exact:
    """Computes float32 logits and records the images."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits
        self.images: set[int] = set()

    def __call__(self, index: Tensor) -> Tensor:
        self.images |= set(index.tolist())
        return self.logits[index]


@given(seed=st.integers(0, 2**32), size=st.sampled_from([0.0, 1e-3, 0.02, 0.3, 2.0]))
def test_the_predictions_are_those_of_float32(seed: int, size: float) -> None:
    coarse_filter = CoarseFilter()
    for batch in range(3):
        exact = logits(seed + batch)
        coarse = exact + noise(seed - 1 - batch, size)
        predict = coarse_filter.filtered(coarse, Exact(exact))
        assert torch.equal(predict, exact.argmax(1))
    assert coarse_filter.sound


def test_a_filter_that_doubts_most_images_does_not_pay() -> None:
    pays = {}
    for size in (1e-3, 2.0):
        coarse_filter, exact = CoarseFilter(), Exact(logits(0))
        coarse_filter.filtered(exact.logits + noise(1, size), exact)
        pays[size] = coarse_filter.pays
    assert pays == {1e-3: True, 2.0: False}


def test_few_images_are_recomputed_where_the_error_is_small() -> None:
    coarse_filter, exact = CoarseFilter(), Exact(logits(0))
    counts = []
    for _ in range(3):
        exact.images.clear()
        coarse_filter.filtered(exact.logits + noise(1, 1e-3), exact)
        counts.append(len(exact.images))
    assert 90 <= counts[0] <= 150
    assert counts[0] + counts[1] >= FIRST_CHECKS
    assert 1 <= counts[2] <= 20


def test_small_batches_are_all_checked_until_enough_are() -> None:
    coarse_filter, exact = CoarseFilter(), logits(0)
    counts = []
    for batch in exact.split(10):
        some = Exact(batch)
        coarse_filter.filtered(batch, some)
        counts.append(len(some.images))
    assert counts[:12] == [10] * 12
    assert max(counts[13:]) < 10


def test_every_image_with_a_small_margin_is_recomputed() -> None:
    coarse_filter, exact = CoarseFilter(), Exact(logits(0))
    coarse = exact.logits + noise(1, 0.05)
    coarse_filter.filtered(coarse, exact)
    error = (coarse - exact.logits)[::4].amax(1) - (coarse - exact.logits)[::4].amin(1)
    doubtful = margins(coarse) <= SAFETY * error.max()
    assert set(doubtful.nonzero().flatten().tolist()) <= exact.images
    assert len(exact.images) < IMAGES


def test_an_error_beyond_what_was_trusted_is_noticed() -> None:
    coarse_filter = CoarseFilter()
    coarse_filter.filtered(logits(0), Exact(logits(0)))
    assert coarse_filter.sound
    coarse_filter.filtered(logits(1) + noise(2, 50.0), Exact(logits(1)))
    assert not coarse_filter.sound


def test_images_with_nonfinite_logits_are_recomputed() -> None:
    exact = logits(0)
    coarse = exact.clone()
    coarse[5], coarse[7, 3], coarse[9] = math.nan, math.inf, -math.inf
    recompute = Exact(exact)
    assert torch.equal(CoarseFilter().filtered(coarse, recompute), exact.argmax(1))
    assert {5, 7, 9} <= recompute.images


def test_ties_are_counted() -> None:
    exact = torch.tensor([[1.0, 1.0 + 1e-6, 0.0], [3.0, 1.0, 0.0], [2.0, 2.0, 0.0]])
    coarse_filter = CoarseFilter()
    coarse_filter.exact(exact)
    assert coarse_filter.ties == 2
    filtered = CoarseFilter()
    filtered.filtered(exact.bfloat16(), Exact(exact))
    assert filtered.ties == 2


def test_one_class_has_no_margin() -> None:
    assert margins(torch.zeros(3, 1)).tolist() == [math.inf] * 3
