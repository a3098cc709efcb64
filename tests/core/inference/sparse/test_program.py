"""Programs: the same results for any split of the images, within their workspace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.inference.sparse.layers import KernelLayer, MaxPool, WeightLayer
from core.inference.sparse.program import Layout, Program


def layers(seed: int, share: float) -> tuple[list[KernelLayer], Tensor, Tensor]:
    """A convolution, pooling and a linear layer; images; torch's output."""
    random = torch.Generator().manual_seed(seed)
    conv = torch.randn(3, 2, 3, 3, generator=random)
    conv *= torch.rand(conv.shape, generator=random) < share
    fc = torch.randn(4, 3, 3, 3, generator=random)
    fc *= torch.rand(fc.shape, generator=random) < share
    images = torch.randn(11, 2, 8, 8, generator=random)
    hidden = F.max_pool2d(F.conv2d(images, conv).relu(), 2)
    made: list[KernelLayer] = [
        WeightLayer(conv.numpy(), np.zeros(3, np.float32), (6, 6), relu=True),
        MaxPool((3, 3), (2, 2), (2, 2), (0, 0), (1, 1)),
        WeightLayer(fc.numpy(), np.ones(4, np.float32)),
    ]
    return made, images, hidden.flatten(1) @ fc.flatten(1).T + 1


@settings(max_examples=40)
@given(st.integers(0, 100), st.floats(0, 1), st.integers(1, 16), st.integers(0, 11))
def test_any_part_of_the_images_is_computed_and_no_other_written(
    seed: int, share: float, block: int, middle: int
) -> None:
    known, images, expected = layers(seed, share)
    program = Program(known, 2, (8, 8), block)
    assert program.values == 4
    guard = torch.full((program.memory + 64,), 7.25)
    work, made = guard[: program.memory], torch.full((11, 4), torch.nan)
    program.run(images, made, middle, 11, work)
    assert made[:middle].isnan().all()
    program.run(images, made, 0, middle, work)
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)
    assert (guard[program.memory :] == 7.25).all(), "nothing is written behind its memory"


@pytest.mark.parametrize("background", [0.0, -0.4242, None])
def test_what_most_values_are_changes_no_result(background: float | None) -> None:
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 2, 8, 8, generator=random)
    images = torch.full((3, 2, 8, 8), background or 0.0)
    images[:, 0, 2:5, 2:5] = torch.randn(3, 3, 3, generator=random)
    program = Program(
        [WeightLayer(weight.numpy(), np.zeros(5, np.float32))], 2, (8, 8), 1, background
    )
    made = torch.empty(3, 5)
    program.run(images, made, 0, 3, torch.empty(program.memory))
    torch.testing.assert_close(made, images.flatten(1) @ weight.flatten(1).T, rtol=1e-4, atol=1e-4)


def test_a_view_without_gaps_counts_every_value_once() -> None:
    view = Layout.contiguous(3, (4, 5))
    places = {
        channel * view.plane + row * view.pitch + column
        for channel in range(3)
        for row in range(4)
        for column in range(5)
    }
    assert places == set(range(view.values)) == set(range(60))
