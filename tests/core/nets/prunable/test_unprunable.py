"""What is left out of pruning, and why."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

import core
from core.errors import InputError
from core.nets.prunable.unprunable import COMPUTED, OWN, unprunable_summary, unprunable_weights
from tests.support.typed_nets import Plain, Tokens, computed


class Symmetric(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.triu() + x.triu(1).mT


class Adapter(nn.Linear):
    """A linear layer with a bare weight of its own, and vectors."""

    def __init__(self) -> None:
        super().__init__(8, 8)
        self.low = nn.Parameter(torch.zeros(8, 2))
        self.scale, self.token = nn.Parameter(torch.ones(8)), nn.Parameter(torch.ones(1, 1, 8))
        self.lazy = nn.UninitializedParameter()


def test_bare_parameters_are_left_out_and_vectors_are_not_named() -> None:
    assert core.unprunable_weights(Tokens()) == {"place": OWN}
    assert unprunable_weights(nn.Sequential(Adapter(), nn.LayerNorm((4, 4)))) == {"0.low": OWN}
    assert unprunable_weights(Plain()) == {}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_are_computed_are_left_out() -> None:
    net, own = Tokens(), Adapter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(net.head)
        nn.utils.weight_norm(net.rows, "weight_hh_l0")
        nn.utils.spectral_norm(own, "low")
    parametrizations.weight_norm(net.attention, "in_proj_weight")
    parametrize.register_parametrization(own, "weight", Symmetric())
    names = ("head.weight", "attention.in_proj_weight", "rows.weight_hh_l0")
    assert unprunable_weights(net) == {"place": OWN, **dict.fromkeys(names, COMPUTED)}
    assert unprunable_weights(own) == dict.fromkeys(("low", "weight"), COMPUTED)
    names = list(core.plan(net, 1.2))
    assert names == ["attention.out_proj", "mix", "rows.weight_ih_l0"]
    assert list(unprunable_summary(net)) == [
        f"place cannot be pruned: {OWN}",
        f"attention.in_proj_weight and 2 more cannot be pruned: {COMPUTED}",
    ]


def test_a_net_with_nothing_to_prune_says_why_in_one_line() -> None:
    said = r"no prunable weights: 1\.weight and 1 more cannot be pruned: computed from"
    with pytest.raises(InputError, match=said):
        core.plan(computed(), 2)
    with pytest.raises(InputError, match="no prunable weights, such as"):
        core.plan(nn.Sequential(nn.LayerNorm(3)), 2)
