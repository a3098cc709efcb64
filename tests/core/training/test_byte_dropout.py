"""Dropout from random bytes: rate, scale, memory format, generator."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from core.nets.architectures import Cnn5
from core.training.byte_dropout import ByteDropout, use_byte_dropout


def dropout(p: float, seed: int = 0) -> ByteDropout:
    return ByteDropout(p, torch.Generator().manual_seed(seed)).train()


@given(st.floats(0, 1), st.integers(0, 2**32))
def test_dropout_is_unbiased_at_the_requested_probability(p: float, seed: int) -> None:
    images = torch.ones(40_000)
    out = dropout(p, seed)(images)
    zeros = float((out == 0).float().mean())
    assert zeros == pytest.approx(p, abs=1 / 512 + 0.02)
    values = out.unique().tolist()
    assert len(values) <= 2
    kept = 256 - round(256 * p)
    if kept:
        assert max(values) == pytest.approx(256 / kept)


def test_every_byte_is_equally_likely() -> None:
    """Also the eighth byte of each word, which a draw without the sign bit would halve."""
    drawn = dropout(0.5)._bytes_like(torch.empty(512_000)).view(-1, 8)
    for place in range(8):
        counts = torch.bincount(drawn[:, place].int(), minlength=256)
        assert counts.min() > 150
        assert counts.max() < 360


@pytest.mark.parametrize(
    "images",
    [
        torch.ones(5, 3, 4, 4).to(memory_format=torch.channels_last),
        torch.ones(5, 3, 4, 4),
        torch.ones(7, 3).t(),
        torch.ones(4, 6)[:, ::2],
        torch.ones(1, 3).expand(4, 3),
        torch.ones(0, 3),
        torch.ones(()),
    ],
)
def test_dropout_keeps_any_layout_in_memory(images: Tensor) -> None:
    out = dropout(0.5)(images)
    assert out.shape == images.shape
    assert set(out.unique().tolist()) <= {0.0, 2.0}
    if images.dim() == 4:
        assert out.stride() == images.stride()


def test_gradients_pass_through_kept_elements() -> None:
    images = torch.ones(100, requires_grad=True)
    out = dropout(0.25)(images)
    out.sum().backward()
    assert torch.equal(images.grad, out.detach())


def test_dropout_keeps_half_precision() -> None:
    assert dropout(0.5)(torch.ones(10, dtype=torch.bfloat16)).dtype is torch.bfloat16


def test_dropout_in_evaluation_or_of_zero_is_the_identity() -> None:
    images = torch.randn(10)
    assert dropout(0.0)(images) is images
    assert dropout(0.5).eval()(images) is images
    assert not dropout(1.0)(images).any()


def test_same_seed_same_bits_and_the_callers_generator_is_untouched() -> None:
    before = torch.get_rng_state()
    one, other = (dropout(0.5, seed=3)(torch.ones(1000)) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, dropout(0.5, seed=4)(torch.ones(1000)))
    assert torch.equal(before, torch.get_rng_state())


def test_byte_dropout_replaces_the_dropouts_of_a_net() -> None:
    generator, other = torch.Generator(), torch.Generator()
    net = nn.Sequential(Cnn5(), nn.Dropout(0.3), nn.Dropout2d(0.2), nn.ReLU()).train()
    use_byte_dropout(net, generator)
    fast = [module for module in net.modules() if isinstance(module, ByteDropout)]
    assert [module.p for module in fast] == [0.5, 0.5, 0.5, 0.3]
    assert all(module.training for module in fast)
    assert type(net[2]) is nn.Dropout2d
    shared = nn.Dropout(0.1)
    twice = nn.Sequential(shared, nn.Sequential(shared, shared))
    use_byte_dropout(twice, generator)
    assert len({id(module) for module in (twice[0], twice[1][0], twice[1][1])}) == 1
    assert isinstance(twice[0], ByteDropout)
    use_byte_dropout(net, other)
    again = [module for module in net.modules() if isinstance(module, ByteDropout)]
    assert [module.p for module in again] == [0.5, 0.5, 0.5, 0.3]
    assert {module.generator for module in again} == {other}
