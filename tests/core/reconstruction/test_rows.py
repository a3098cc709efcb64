"""Rows of X against the convolution itself."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.reconstruction.rows import unfolded
from core.reconstruction.uses import Convolution

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Tensor, Tensor, Convolution]:
    """Images, a weight, and settings that fit them."""
    dimensions = draw(st.integers(1, 3))

    def each(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in range(dimensions))

    settings = Convolution(each(1, 3), each(1, 3), each(0, 2), each(1, 2), draw(st.integers(1, 3)))
    reach = ((k - 1) * d for k, d in zip(settings.kernel, settings.dilation, strict=True))
    size = [draw(st.integers(most + 1, most + 4)) for most in reach]
    channels, outputs = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    torch.manual_seed(draw(st.integers(0, 1000)))
    images = torch.randn(2, settings.groups * channels, *size)
    weight = torch.randn(settings.groups * outputs, channels, *settings.kernel)
    return images, weight, settings


@given(convolutions())
def test_rows_times_weights_are_the_convolution(case: tuple[Tensor, Tensor, Convolution]) -> None:
    images, weight, settings = case
    _, stride, padding, dilation, groups = settings
    convolution = CONVOLUTIONS[weight.dim() - 2]
    expected = convolution(images, weight, None, stride, padding, dilation, groups).flatten(2)
    positions = expected.shape[2]
    chosen = torch.randperm(positions)[: 1 + positions // 2].sort().values
    rows = unfolded(images, settings, chosen)
    blocks = weight.view(groups, -1, rows.shape[2])
    outputs = (rows @ blocks.mT).view(groups, len(images), len(chosen), -1)
    got = outputs.permute(1, 0, 3, 2).flatten(1, 2)
    torch.testing.assert_close(got, expected[..., chosen], rtol=1e-4, atol=1e-4)
