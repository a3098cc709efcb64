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
    kernel_layers: list[KernelLayer] = [
        WeightLayer(conv.numpy(), np.zeros(3, np.float32), (6, 6), relu=True),
        MaxPool((3, 3), (2, 2), (2, 2), (0, 0), (1, 1)),
        WeightLayer(fc.numpy(), np.ones(4, np.float32)),
    ]
    return kernel_layers, images, hidden.flatten(1) @ fc.flatten(1).T + 1


@settings(max_examples=40)
@given(st.integers(0, 100), st.floats(0, 1), st.integers(1, 16), st.integers(0, 11))
def test_a_run_writes_the_results_of_its_images_only(
    seed: int, share: float, block: int, middle: int
) -> None:
    kernel_layers, images, expected = layers(seed, share)
    program = Program(kernel_layers, 2, (8, 8), block)
    assert program.values == 4
    guard = torch.full((program.memory + 64,), 7.25)
    work, outputs = guard[: program.memory], torch.full((11, 4), torch.nan)
    program.run(images, outputs, middle, 11, work)
    assert outputs[:middle].isnan().all()
    program.run(images, outputs, 0, middle, work)
    torch.testing.assert_close(outputs, expected, rtol=1e-4, atol=1e-4)
    assert (guard[program.memory :] == 7.25).all(), "nothing is written behind its memory"


@pytest.mark.parametrize("background", [0.0, -0.4242, None])
def test_the_background_changes_no_result(background: float | None) -> None:
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 2, 8, 8, generator=random)
    images = torch.full((3, 2, 8, 8), background or 0.0)
    images[:, 0, 2:5, 2:5] = torch.randn(3, 3, 3, generator=random)
    program = Program(
        [WeightLayer(weight.numpy(), np.zeros(5, np.float32))], 2, (8, 8), 1, background
    )
    outputs = torch.empty(3, 5)
    program.run(images, outputs, 0, 3, torch.empty(program.memory))
    torch.testing.assert_close(
        outputs, images.flatten(1) @ weight.flatten(1).T, rtol=1e-4, atol=1e-4
    )


def test_a_contiguous_layout_has_no_gaps() -> None:
    layout = Layout.contiguous(3, (4, 5))
    places = {
        channel * layout.plane + row * layout.pitch + column
        for channel in range(3)
        for row in range(4)
        for column in range(5)
    }
    assert places == set(range(layout.values)) == set(range(60))
