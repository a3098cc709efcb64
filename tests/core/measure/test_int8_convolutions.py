"""Convolutions in int8: near those of float32, in the same memory format, or not tried at all."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.measure.int8_convolutions import Int8Convolutions, is_fast_here, is_faster

FORMATS = (torch.channels_last, torch.contiguous_format)


def convolution(seed: int, channels: int, kernel: int, low: float) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, a weight with zeros, and a bias."""
    torch.manual_seed(seed)
    images = torch.rand(3, channels, 9, 8) * (1 - low) + low
    weight = torch.randn(20, channels, kernel, kernel)
    return images, weight * (torch.rand_like(weight) < 0.5), torch.randn(20)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    channels=st.integers(16, 40),
    kernel=st.integers(2, 4),
    low=st.sampled_from([0.0, -1.0, 0.4]),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    memory=st.sampled_from(FORMATS),
)
def test_errors_are_those_of_rounding(
    seed: int,
    channels: int,
    kernel: int,
    low: float,
    stride: int,
    padding: int,
    memory: torch.memory_format,
) -> None:
    images, weight, bias = convolution(seed, channels, kernel, low)
    images = images.to(memory_format=memory)
    exact = F.conv2d(images, weight, bias, stride, padding)
    with Int8Convolutions() as convolutions:
        fast = is_fast_here()
        coarse = F.conv2d(images, weight, bias, stride, padding) if fast else exact
    assert convolutions.used == fast
    # Half a step of every input, and of every weight.
    step, size = (1 - min(low, 0.0)) / 255, weight.abs().amax((1, 2, 3)) / 127
    bound = 0.51 * (step * weight.abs().sum((1, 2, 3)) + size * weight[0].numel())
    assert bool(((coarse - exact).abs().amax((0, 2, 3)) <= bound + 1e-4).all())
    assert coarse.is_contiguous(memory_format=memory)


@pytest.mark.parametrize("change", ["grouped", "double", "named padding", "infinite", "small"])
def test_other_convolutions_stay_as_they_are(change: str) -> None:
    images, weight, bias = convolution(0, 32, 3, 0.0)
    arguments: dict[str, object] = {}
    match change:
        case "grouped":
            weight, arguments = weight[:, :16], {"groups": 2}
        case "double":
            images, weight, bias = images.double(), weight.double(), bias.double()
        case "named padding":
            arguments = {"padding": "same"}
        case "infinite":
            images[0, 0, 0, 0] = torch.inf
        case "small":
            images, weight = images[:, :1], weight[:, :1]
            assert not is_faster(weight)
    exact = F.conv2d(images, weight, bias, **arguments)
    with Int8Convolutions() as convolutions:
        same = F.conv2d(images, weight, bias, **arguments)
    assert torch.equal(torch.nan_to_num(same), torch.nan_to_num(exact))
    assert not convolutions.used


def test_an_unchanging_input_is_rounded_once_and_gives_the_same() -> None:
    images, weight, bias = convolution(0, 32, 3, 0.0)
    known, fresh = Int8Convolutions([images]), Int8Convolutions()
    assert known._round(images) is known._round(images)
    assert fresh._round(images) is not fresh._round(images)
    with fresh:
        expected = F.conv2d(images, weight, bias) if is_fast_here() else None
    if expected is not None:
        images.fill_(torch.inf)  # what has been rounded is not looked at again
        with known:
            assert torch.equal(F.conv2d(images, weight, bias), expected)
        assert (fresh.used, known.used) == (1, 1)
