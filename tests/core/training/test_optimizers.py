"""Optimizers have the hyperparameters of their phase."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adadelta, AdamW, Optimizer

from core.training.optimizers import build_optimizer, match_memory_format
from core.training.recipes import OptimizerName, Phase


@pytest.mark.parametrize(("name", "kind"), [("adadelta", Adadelta), ("adamw", AdamW), ("sgd", SGD)])
def test_an_optimizer_has_the_hyperparameters_of_its_phase(
    name: OptimizerName, kind: type[Optimizer]
) -> None:
    phase = Phase(1, name, 0.25, "step", momentum=0.5, weight_decay=0.125)
    optimizer = build_optimizer(nn.Linear(2, 2), phase)
    (group,) = optimizer.param_groups
    assert isinstance(optimizer, kind)
    assert (group["lr"], group["weight_decay"]) == (0.25, 0.125)
    assert group.get("momentum", 0.5) == 0.5
    assert len(group["params"]) == 2


def test_loaded_state_takes_the_memory_format_of_its_parameter() -> None:
    layer = nn.Conv2d(2, 3, 4).to(memory_format=torch.channels_last)
    optimizer = build_optimizer(layer, Phase(1, "adamw", 0.1, "step"))
    layer(torch.ones(1, 2, 4, 4)).sum().backward()
    optimizer.step()
    state = optimizer.state[layer.weight]
    steps, moments = state["step"], state["exp_avg"].clone()
    state["exp_avg"] = moments.contiguous()
    match_memory_format(optimizer)
    assert state["exp_avg"].stride() == layer.weight.stride()
    assert state["exp_avg"].equal(moments)
    assert state["step"] is steps
