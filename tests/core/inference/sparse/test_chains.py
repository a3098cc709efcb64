"""Chains: layers run by the kernels, each with its own workspace, on several threads."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.graph.tracing import trace
from core.inference.engines import run
from core.inference.sparse.chains import Chain, background_at, with_chains
from core.inference.sparse.groups import groups_of
from core.inference.sparse.simplify import simplify


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    conv, fc = nn.Conv2d(1, 4, 3), nn.Linear(36, 5)
    return nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), fc).eval()


def chain(net: nn.Module, block: int, threads: int) -> nn.Module:
    traced = trace(net, torch.randn(3, 1, 8, 8))
    return with_chains(traced.net, list(groups_of(traced.net, simplify(traced))), block, threads)


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 4))
def test_logits_are_right_for_any_count_block_and_threads(
    net: nn.Module, count: int, block: int, threads: int
) -> None:
    images = torch.randn(count, 1, 8, 8)
    outputs = run(chain(net, block, threads), images)
    torch.testing.assert_close(outputs, run(net, images), rtol=1e-4, atol=1e-4)


def test_a_net_of_supported_layers_is_one_chain(net: nn.Module) -> None:
    assert isinstance(chain(net, 4, 1), Chain)
    mixed = chain(nn.Sequential(net, nn.Softmax(1)).eval(), 4, 1)
    assert [type(part) for part in mixed.children()].count(Chain) == 1
    assert not isinstance(mixed, Chain)


def test_a_copy_has_its_own_workspaces_and_lock(net: nn.Module) -> None:
    original = chain(net, 2, 2)
    other = copy.deepcopy(original)
    assert [array.shape for array in other._work] == [array.shape for array in original._work]
    assert {array.data_ptr() for array in other._work}.isdisjoint(
        array.data_ptr() for array in original._work
    )
    assert other._lock is not original._lock


@pytest.mark.parametrize("layout", ["channels last", "negative view", "every second"])
def test_images_may_have_any_memory_layout(net: nn.Module, layout: str) -> None:
    images = torch.randn(6, 1, 8, 8)
    inputs: Tensor = {
        "channels last": images.to(memory_format=torch.channels_last),
        "negative view": torch._neg_view(images),
        "every second": images[::2],
    }[layout]
    outputs = run(chain(net, 4, 1), inputs)
    torch.testing.assert_close(outputs, run(net, inputs.contiguous().resolve_neg()))


def test_the_background_is_zero_after_the_first_layer(net: nn.Module) -> None:
    traced = trace(net, torch.randn(3, 1, 8, 8))
    nodes = list(traced.net.graph.nodes)
    assert background_at(nodes[0], -0.42) == -0.42
    assert background_at(nodes[1], -0.42) == 0.0
    assert background_at(nodes[1], None) is None
