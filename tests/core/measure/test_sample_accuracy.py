"""Accuracy on a growing sample: honest intervals first, the exact count at the end."""

from __future__ import annotations

from math import isclose

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.data.batches import Splits
from core.errors import StoppedError
from core.events import drain
from core.measure.evaluation import sample_accuracy
from core.nets.architectures import Cnn5
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.pruning.curves import Sample, SampleUpdated, wilson
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from tests.core.conftest import head
from tests.core.training_loops import of_type, plain_accuracy, recorded

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_sample_grows_to_all_images_and_ends_with_the_plain_count(
    precision: str, few: Splits, dense: Weights, layers: tuple[Layer, ...]
) -> None:
    plan = uniform_plan(0.8, [layer.name for layer in layers])
    pruned = Masks.of(dense, layers, plan).apply(dense)
    model = Cnn5()
    model.load_state_dict(pruned)
    data = head(few.train, 1_900)
    sample, events = recorded(sample_accuracy(model, data, seed=3, precision=precision))
    samples = [event.sample for event in of_type(SampleUpdated, events)]
    assert [sample.images for sample in samples] == [250, 500, 1_000, 1_900]
    assert samples[-1] == sample
    assert (sample.exact, sample.of) == (True, 1_900)
    assert sample.accuracy == pytest.approx(plain_accuracy(pruned, data))
    order = torch.randperm(1_900, generator=torch.Generator().manual_seed(3))[:250]
    with torch.no_grad():
        images, labels = data.batch(order)
        first = int((model(images).argmax(1) == labels).sum())
    assert samples[0].correct == first


def test_a_sample_stops_at_once(few: Splits, dense: Weights) -> None:
    model = Cnn5()
    model.load_state_dict(dense)
    seen: list[object] = []
    stream = sample_accuracy(model, few.train, stop=lambda: bool(seen))
    with pytest.raises(StoppedError, match="stopped"):
        drain(stream, seen.append)
    assert len(seen) == 1


counts = st.integers(2, 6_000).flatmap(
    lambda of: st.tuples(st.just(of), st.integers(1, of)).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[1]))
    )
)


@given(counts)
def test_an_interval_holds_the_accuracy_and_narrows_to_it(numbers: tuple[int, int, int]) -> None:
    of, images, correct = numbers
    low, high = Sample(correct, images, of).interval
    accuracy = 100 * correct / images
    assert 0 <= low <= accuracy + 1e-9
    assert accuracy - 1e-9 <= high <= 100
    endless = Sample(correct, images).interval
    assert high - low <= endless[1] - endless[0] + 1e-9
    if images == of:
        assert low == high == accuracy


def test_a_small_part_of_many_is_as_good_as_a_sample_of_endless_ones() -> None:
    low, high = Sample(240, 250, 10**9).interval
    assert isclose(low, 100 * wilson(240, 250)[0], rel_tol=1e-6)
    assert isclose(high, 100 * wilson(240, 250)[1], rel_tol=1e-6)


def test_nineteen_in_twenty_intervals_hold_the_accuracy() -> None:
    """Of 2,000 samples of 500 out of 5,000 images, about 95 % of intervals hold the truth."""
    generator = torch.Generator().manual_seed(0)
    right = torch.zeros(5_000, dtype=torch.bool)
    right[:4_700] = True
    held = 0
    for _ in range(2_000):
        drawn = torch.randperm(5_000, generator=generator)[:500]
        low, high = Sample(int(right[drawn].sum()), 500, 5_000).interval
        held += low <= 94.0 <= high
    assert 0.93 <= held / 2_000 <= 0.97
