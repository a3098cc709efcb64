"""A copy of a model equals it in every respect and shares nothing, or the error says where."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from queue import Queue
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils import prune as torch_prune

from core.errors import InputError
from core.nets.model_copy import copy_model

IMAGES = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(108, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.conv(x)).relu().flatten(1))


class KeepsActivation(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.kept = {"features": [self.norm(self.conv(x)).relu()]}
        return self.fc(self.kept["features"][0].flatten(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows, self.head = nn.LSTM(8, 12, batch_first=True), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rows(x[:, 0])[0][:, -1])


class WeightOnce(Plain):
    """Computes a weight in its constructor and reads it in every forward pass."""

    def __init__(self, how: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.once = how(self.fc.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).flatten(1) @ self.once


def after_a_step(model: nn.Module) -> nn.Module:
    model(IMAGES).sum().backward()
    return model


def with_locks() -> nn.Module:
    model = Plain()
    model.lock, model.again, model.event = threading.Lock(), threading.RLock(), threading.Event()
    model.queue, model.changed = Queue(), threading.Condition()
    model.lock.acquire()
    return model


def weight_normed(model: nn.Module, part: str, name: str = "weight") -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(model.get_submodule(part), name)
    return model


def masked(model: nn.Module, part: str, name: str = "weight") -> nn.Module:
    torch_prune.l1_unstructured(model.get_submodule(part), name, 0.5)
    return model


def spectral() -> nn.Module:
    model = Plain()
    nn.utils.spectral_norm(model.fc)
    return model


def parametrized() -> nn.Module:
    model = Plain()
    parametrizations.weight_norm(model.fc)
    return model


def tied() -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 10))
    model[2].weight = model[1].weight
    return model


def hooked() -> nn.Module:
    model = Plain()
    model.conv.register_forward_hook(lambda module, args, output: setattr(model, "seen", output))
    return model


def hooked_by_default() -> nn.Module:
    model = Plain()

    def keep(module: nn.Module, args: object, output: Tensor, where: nn.Module = model) -> None:
        where.seen = output

    model.conv.register_forward_hook(keep)
    return model


def hooked_by_tensor() -> nn.Module:
    model = Plain()
    weight = model.conv.weight
    model.conv.register_forward_hook(lambda module, args, output: output + weight.mean())
    return model


def bound() -> nn.Module:
    model = Plain()
    model.forward = partial(Plain.forward, model)
    return model


def frozen() -> nn.Module:
    model = Plain()
    model.conv.requires_grad_(False)
    model.norm.eval()
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "plain": Plain,
    "a kept activation": lambda: after_a_step(KeepsActivation()),
    "locks": with_locks,
    "old weight norm": lambda: after_a_step(weight_normed(Plain(), "fc")),
    "old weight norm in an LSTM": lambda: weight_normed(Recurrent(), "rows", "weight_hh_l0"),
    "old spectral norm": lambda: after_a_step(spectral()),
    "weight norm": lambda: after_a_step(parametrized()),
    "masks of torch": lambda: after_a_step(masked(Plain(), "fc")),
    "masks of torch in an LSTM": lambda: masked(Recurrent(), "rows", "weight_hh_l0"),
    "tied weights": tied,
    "a hook": lambda: after_a_step(hooked()),
    "a hook with a default": lambda: after_a_step(hooked_by_default()),
    "a hook on a tensor": lambda: after_a_step(hooked_by_tensor()),
    "a forward of its own": bound,
    "frozen": frozen,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_copy_computes_the_same_and_leaves_the_original_alone(name: str) -> None:
    model = MODELS[name]()
    copy = copy_model(model)
    modes = [module.training for module in model.modules()]
    assert [module.training for module in copy.model.modules()] == modes
    assert [p.requires_grad for p in copy.model.parameters()] == [
        p.requires_grad for p in model.parameters()
    ]
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    kept = vars(model).get("kept"), vars(model).get("seen")
    copy.check_trainable(IMAGES)
    assert torch.equal(copy_model(model).model.eval()(IMAGES), copy.model.eval()(IMAGES))
    optimizer = torch.optim.SGD(copy.model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        copy.model.train()(IMAGES).square().sum().backward()
        optimizer.step()
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())
    after = copy.model.state_dict()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    assert (vars(model).get("kept"), vars(model).get("seen")) == kept
    assert torch.equal(copy_model(model).model.eval()(IMAGES), model.eval()(IMAGES))


def test_locks_are_new_and_free() -> None:
    model = with_locks()
    copy: Any = copy_model(model).model
    assert model.lock.locked()
    assert not copy.lock.locked()
    copy.event.set()
    copy.queue.put(1)
    with copy.changed, copy.again:
        copy.changed.notify()
    assert not model.event.is_set()
    assert model.queue.empty()


def test_an_open_file_is_shared() -> None:
    model: Any = Plain()
    with open(__file__) as model.log:
        copy: Any = copy_model(model).model
    assert copy.log is model.log
    assert copy.fc.weight is not model.fc.weight


def test_ties_stay_ties() -> None:
    model = copy_model(tied()).model
    assert model[1].weight is model[2].weight
    by_memory = Plain()
    by_memory.other = nn.Linear(108, 10)
    by_memory.other.weight.data = by_memory.fc.weight.data
    by_memory.register_buffer("row", by_memory.fc.weight.detach()[1])
    copy: Any = copy_model(by_memory).model
    assert copy.other.weight is not copy.fc.weight
    with torch.no_grad():
        copy.fc.weight.fill_(3.0)
    assert bool((copy.other.weight == 3).all())
    assert bool((copy.row == 3).all())
    assert not bool((by_memory.row == 3).any())


def test_generators_attributes_and_gradient_hooks_of_parameters_come_along() -> None:
    model: Any = Plain()
    model.random = torch.Generator().manual_seed(3)
    model.fc.weight.scale = 2
    model.fc.weight.register_hook(torch.zeros_like)
    copy: Any = copy_model(model).model
    assert torch.equal(torch.rand(3, generator=copy.random), torch.rand(3, generator=model.random))
    copy(IMAGES).sum().backward()
    assert copy.fc.weight.scale == 2
    assert not copy.fc.weight.grad.any()
    assert model.fc.weight.grad is None


def test_references_to_the_model_point_into_the_copy() -> None:
    model: Any = hooked()
    model.conv.parent = weakref.ref(model)
    model(IMAGES)
    seen = model.seen
    copy: Any = copy_model(model).model
    copy(IMAGES)
    assert model.seen is seen
    assert copy.seen is not seen
    assert copy.conv.parent() is copy


@pytest.mark.parametrize("how", [lambda weight: 2 * weight.t(), Tensor.t], ids=["new", "view"])
def test_a_weight_that_is_computed_once_cannot_be_trained(how: Callable[[Tensor], Tensor]) -> None:
    model = WeightOnce(how)
    copy = copy_model(model)
    assert torch.equal(copy.model.eval()(IMAGES), model.eval()(IMAGES))
    with pytest.raises(InputError, match=r"^WeightOnce\.once was computed from parameters"):
        copy.check_trainable(IMAGES)


class Unwilling:
    def __reduce_ex__(self, _: object) -> str:
        raise RuntimeError("not\nme")


class SharedLinear(nn.Linear):
    def __deepcopy__(self, _: object) -> SharedLinear:
        return self


class AnotherLinear(nn.Linear):
    def __deepcopy__(self, _: object) -> nn.Linear:
        return nn.Linear(108, 10)


def set_at(path: str, what: Callable[[nn.Module], object]) -> nn.Module:
    model = Plain()
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, what(model))
    return model


def hooked_through_a_list() -> nn.Module:
    model = Plain()
    models = [model]
    model.conv.register_forward_hook(lambda module, args, output: models[0].eval() and None)
    return model


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (set_at("conv.log", lambda _: {"a": [1, Unwilling()]}), r"Plain\.conv\.log\['a'\]\[1\]"),
        (
            set_at("rows", lambda _: (number for number in range(3))),
            r"Plain\.rows cannot be copied \(TypeError",
        ),
        (set_at("fc", lambda _: SharedLinear(108, 10)), r"Plain\.fc would still point at"),
        (set_at("up", lambda _: {"a": SharedLinear(2, 2)}), r"Plain\.up\['a'\] would still point"),
        (set_at("fc", lambda _: AnotherLinear(108, 10)), r"Plain\.fc\.(weight|bias) is not the"),
        (set_at("up", lambda model: [weakref.proxy(model)]), r"Plain\.up\[0\] is a weakref\.proxy"),
        (hooked_through_a_list(), r"Plain\.conv\._forward_hooks\[\d+\] \(its variable models\)"),
    ],
)
def test_parts_that_cannot_be_copied_are_named(model: nn.Module, where: str) -> None:
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    with pytest.raises(InputError, match=where) as refusal:
        copy_model(model)
    assert "\n" not in str(refusal.value)
    assert all(torch.equal(before[key], tensor) for key, tensor in model.state_dict().items())
