"""Removing dead units from small nets, and checking that nothing else changes."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from core.graph.compaction import compacted
from core.graph.dead_units import remove_dead
from core.nets.footprint import DeadUnits
from core.nets.weights import copy_weights
from tests.core.training_loops import same


def nonzero(net: nn.Module) -> int:
    return sum(int(parameter.count_nonzero()) for parameter in net.parameters())


def is_close(logits: Tensor, expected: Tensor) -> bool:
    return bool((logits - expected).abs().max() <= 1e-5 * expected.abs().max() + 1e-7)


@torch.no_grad()
def thin_out(net: nn.Module, seed: int, rows: float, columns: float, single: float) -> None:
    """Set fractions of the rows, columns and single weights to zero."""
    random = torch.Generator().manual_seed(seed)
    for weight in (parameter for parameter in net.parameters() if parameter.dim() > 1):
        weight[torch.rand(len(weight), generator=random) < rows] = 0.0
        weight[:, torch.rand(weight.shape[1], generator=random) < columns] = 0.0
        weight[torch.rand(weight.shape, generator=random) < single] = 0.0


SHARES = st.tuples(
    st.integers(0, 1000), st.floats(0, 0.7), st.floats(0, 0.7), st.sampled_from([0.0, 0.5, 0.9])
)


@torch.no_grad()
def assert_removed_exactly(net: nn.Module, images: Tensor) -> DeadUnits:
    """Remove dead units: the logits stay. Remove them again: nothing changes."""
    before, logits = nonzero(net), net.eval()(images.clone())
    dead_units = remove_dead(net, images[:3])
    assert is_close(net(images.clone()), logits)
    assert 0 <= before - nonzero(net) <= dead_units.nonzero
    once = copy_weights(net)
    again = remove_dead(net, images[:3])
    assert same(once, copy_weights(net))
    assert (again.units, again.parameters) == (dead_units.units, dead_units.parameters)
    light = compacted(net, images[:3])
    assert is_close(light(images.clone()), logits)
    assert same(once, copy_weights(net))
    return dead_units


def set_unit(layer: nn.Module, unit: int, bias: float) -> None:
    """Make a unit output a constant."""
    layer.weight.data[unit] = 0.0
    layer.bias.data[unit] = bias


def sequence(*parts: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(*parts).eval()


IMAGES = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
