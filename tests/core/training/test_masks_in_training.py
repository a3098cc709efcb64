"""Pruned weights stay exactly zero for every optimizer and any gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop

from core.nets.layers import prunable_layers
from core.pruning.masks import Masks

Build = Callable[[Iterable[nn.Parameter]], Optimizer]

OPTIMIZERS: dict[str, Build] = {
    "sgd": lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-2),
    "nesterov": lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-2, nesterov=True),
    "adam": lambda p: Adam(p, lr=0.1, weight_decay=1e-2),
    "adamw": lambda p: AdamW(p, lr=0.1, weight_decay=1e-2, amsgrad=True),
    "adadelta": lambda p: Adadelta(p, weight_decay=1e-2),
    "rmsprop": lambda p: RMSprop(p, lr=0.1, momentum=0.9, weight_decay=1e-2, centered=True),
    "adagrad": lambda p: Adagrad(p, lr=0.1, weight_decay=1e-2),
    "nadam": lambda p: NAdam(p, lr=0.1, weight_decay=1e-2),
}
GRADIENTS = (1.0, 1e-20, 1e18, 1.0, float("inf"), float("nan"), 1.0)
TIGHTEN_AFTER = 3


def small_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))


def masks_of(model: nn.Module, sparsity: float) -> Masks:
    layers = prunable_layers(model)
    plan = {layer.name: sparsity for layer in layers}
    return Masks.of(model.state_dict(), layers, plan)


def step_with(optimizer: Optimizer, model: nn.Module, scale: float) -> None:
    """A step with random gradients, a third of them times `scale`."""
    for parameter in model.parameters():
        gradient = torch.randn_like(parameter)
        parameter.grad = torch.where(torch.rand_like(gradient) < 1 / 3, gradient * scale, gradient)
    optimizer.step()


def remembered(optimizer: Optimizer, parameter: nn.Parameter) -> list[Tensor]:
    """The optimizer's state for each weight."""
    state = optimizer.state[parameter].values()
    return [value for value in state if isinstance(value, Tensor) and value.dim()]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_masks_stay_zero_with_the_optimizers_state_under_any_optimizer(name: str) -> None:
    model = small_net()
    optimizer = OPTIMIZERS[name](model.parameters())
    masks = masks_of(model, 0.5)
    masks.hold(model)
    for number, scale in enumerate(GRADIENTS):
        step_with(optimizer, model, scale)
        if number == TIGHTEN_AFTER:
            masks = masks_of(model, 0.8)
        masks.hold(model, optimizer)
        assert masks.revived(model.state_dict()) == 0
        for key, pruned in masks.pruned.items():
            parameter = model.get_parameter(key)
            state = remembered(optimizer, parameter)
            assert state
            for held in (parameter.detach(), *state):
                assert torch.equal(held[pruned], torch.zeros(int(pruned.sum())))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_revives_weights_unless_masks_hold_them(name: str) -> None:
    model = small_net()
    optimizer = OPTIMIZERS[name](model.parameters())
    masks = masks_of(model, 0.5)
    masks.hold(model)
    step_with(optimizer, model, 1.0)
    assert masks.revived(model.state_dict()) > 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_masks_stay_zero_under_momentum_without_a_gradient(name: str) -> None:
    model = small_net()
    optimizer = OPTIMIZERS[name](model.parameters())
    masks = masks_of(model, 0.5)
    step_with(optimizer, model, 1e6)
    masks.hold(model, optimizer)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert masks.revived(model.state_dict()) == 0


def test_weights_outside_the_masks_are_unchanged() -> None:
    model = small_net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    masks = masks_of(model, 0.5)
    masks.hold(model)
    for name, tensor in model.state_dict().items():
        stays = ~masks.pruned.get(name, torch.zeros_like(tensor, dtype=torch.bool))
        assert torch.equal(tensor[stays], before[name][stays])


def test_applying_masks_copies_the_weights() -> None:
    weights = small_net().state_dict()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    masks = masks_of(small_net(), 0.5)
    pruned = masks.apply(weights)
    for name, tensor in weights.items():
        expected = tensor * ~masks.pruned[name] if name in masks.pruned else tensor
        assert torch.equal(pruned[name], expected)
        pruned[name].fill_(7.0)
        assert torch.equal(tensor, before[name])


def test_loading_masks_applies_them_in_the_models_own_memory() -> None:
    weights = small_net().state_dict()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    masks, model = masks_of(small_net(), 0.5), small_net(seed=1)
    masks.load(model, weights)
    for name, tensor in masks.apply(weights).items():
        assert torch.equal(model.get_parameter(name), tensor)
        model.get_parameter(name).detach().fill_(7.0)
        assert torch.equal(weights[name], before[name])


@pytest.mark.parametrize("value", [1e-30, 1e-45, float("nan"), float("-inf")])
def test_a_single_revived_weight_is_counted(value: float) -> None:
    model = small_net()
    masks = masks_of(model, 0.5)
    weights = masks.apply(model.state_dict())
    assert masks.revived(weights) == 0
    where = masks.pruned["2.weight"].nonzero()[0]
    weights["2.weight"][tuple(where)] = value
    assert masks.revived(weights) == 1


def test_a_kept_weight_is_never_counted_as_revived() -> None:
    model = small_net()
    masks = masks_of(model, 0.5)
    weights = masks.apply(model.state_dict())
    weights["2.weight"][~masks.pruned["2.weight"]] = float("nan")
    assert masks.revived(weights) == 0
