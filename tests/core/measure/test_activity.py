"""How many images are measured, and the interval of what a sample says."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.events import Progress, drain
from core.measure.activity import measure_activity
from tests.core.training_loops import recorded


@pytest.fixture(scope="module")
def data() -> Images:
    """400 images of 4 x 4 whose brightness varies."""
    random = torch.Generator().manual_seed(0)
    brightness = torch.randint(1, 256, (400, 1, 1, 1), generator=random)
    pixels = torch.rand((400, 1, 4, 4), generator=random) * brightness
    return Images(pixels.to(torch.uint8), torch.zeros(400, dtype=torch.long), 0.2, 0.3)


@pytest.fixture(scope="module")
def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 3))


def test_a_fast_net_is_measured_on_all_images(net: nn.Sequential, data: Images) -> None:
    activity = drain(measure_activity(net, data))
    assert (activity.images, activity.of, activity.sampled) == (400, 400, False)
    assert activity.within is activity.layers["1"].within is None


def test_a_slow_net_is_measured_on_as_many_images_as_its_time_allows(data: Images) -> None:
    seen: list[int] = []

    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Tensor:
            seen.append(len(x))
            return self.head(x.flatten(1))

    activity, events = recorded(measure_activity(Counts(), data, seconds=1e-6))
    assert activity.images == 5, "the least"
    assert seen == [50] * 5 + [1] * 5
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert (last.done, last.total) == (5, 5)
    assert drain(measure_activity(Counts(), data, images="all", seconds=0.0)).images == 400


def test_a_sample_is_the_seeds_and_its_intervals_hold_the_truth(
    net: nn.Sequential, data: Images
) -> None:
    truth = drain(measure_activity(net, data))
    samples = [drain(measure_activity(net, data, images=100, seed=seed)) for seed in range(30)]
    assert samples[3] == drain(measure_activity(net, data, images=100, seed=3))
    assert samples[3] != samples[4]
    hidden = [sample.layers["1"] for sample in samples]
    exact = truth.layers["1"].act
    assert all(0 < layer.within < 0.1 for layer in hidden if layer.within is not None)
    held = sum(abs(layer.act - exact) <= (layer.within or 0) for layer in hidden)
    assert held >= 25, "19 of 20 on average"
    assert all(sample.layers["3"].within == 0 for sample in samples), "every logit is nonzero"


@pytest.mark.parametrize(("images", "measured"), [(1, 1), (7, 7), (400, 400), (9_999, 400)])
def test_a_number_of_images_is_kept_to(
    images: int, measured: int, net: nn.Sequential, data: Images
) -> None:
    activity = drain(measure_activity(net, data, images=images))
    assert activity.images == measured
    assert activity.macs == 16 * 12 + 12 * 3
    if images == 1:
        assert activity.within == 1.0, "one image says nothing about others"
