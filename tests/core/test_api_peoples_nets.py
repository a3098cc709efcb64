"""The API on nets as people bring them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import core
from core.nets.layers import lazy_tensors
from tests.core import peoples_nets

pytestmark = pytest.mark.usefixtures("one_thread")

ONE = core.RecipeChanges(epochs=1, batch_size=32)


@pytest.fixture(scope="module")
def data() -> core.Splits:
    """97 images to train on: the last of four batches has one."""
    images = torch.randint(0, 256, (137, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(137) % 10
    images = images.to(torch.uint8)
    held = images[97:], labels[97:]
    return core.splits((images[:97], labels[:97]), held, held)


def after_a_step() -> nn.Module:
    net = peoples_nets.KeepsActivation()
    net(torch.zeros(2, 1, 16, 16)).sum().backward()
    return net


def after_inference() -> nn.Module:
    net = peoples_nets.KeepsActivation()
    with torch.inference_mode():
        net(torch.zeros(2, 1, 16, 16))
    return net


@pytest.mark.parametrize(
    "made",
    [
        peoples_nets.TrainReturnsNothing,
        peoples_nets.AuxiliaryLogits,
        peoples_nets.Several,
        peoples_nets.SeveralInADict,
        peoples_nets.SeveralInAClass,
        peoples_nets.NormOfOneImage,
        after_a_step,
        after_inference,
    ],
)
def test_every_call_takes_the_net(made: Callable[[], nn.Module], data: core.Splits) -> None:
    torch.manual_seed(0)
    model = made()
    hooks = len(model._forward_hooks)
    accuracy = core.evaluate(model, data)
    found = core.scan(model, data, sparsities=(0.0,), recalibrate=False)
    assert {points[0].accuracy for points in found.layers.values()} == {accuracy.validation}
    assert found.traced
    core.prune(model, core.plan(model, 2))
    core.remove_dead(model, data)
    images, _ = data.test.batch(slice(0, 2))
    assert core.compact(model, data)(images).shape == (2, 10)
    result = core.finetune(model, core.plan(model, 2), data, changes=ONE)
    assert core.evaluate(model, data) == result.accuracy
    assert result.error == ""
    assert len(model._forward_hooks) == hooks


@pytest.mark.slow
def test_a_faster_net_returns_the_logits_only(data: core.Splits) -> None:
    model = peoples_nets.Several().eval()
    images, _ = data.test.batch(slice(0, 2))
    logits = core.accelerate(model, data).net(images)
    assert torch.allclose(logits, model(images)[1], atol=1e-4)


def test_a_lazy_net_learns_its_sizes_and_its_weights(data: core.Splits) -> None:
    model = peoples_nets.Lazy()
    for call in (lambda: core.plan(model, 2), lambda: core.prune(model, {"0": 0.5})):
        with pytest.raises(core.InputError, match=r"lazy '0.weight' has no size yet"):
            call()
    random = torch.get_rng_state()
    core.evaluate(model, data)
    assert lazy_tensors(model)
    result = core.finetune(model, {"0": 0.5, "3": 0.9}, data, changes=ONE)
    assert torch.equal(torch.get_rng_state(), random)
    assert lazy_tensors(model) == []
    assert int(model[3].weight.count_nonzero()) == 2352
    assert core.evaluate(model, data) == result.accuracy


def test_a_frozen_net_is_pruned_but_not_trained(data: core.Splits) -> None:
    model = peoples_nets.AllFrozen()
    core.prune(model, core.plan(model, 2))
    core.remove_dead(model, data)
    core.compact(model, data)
    with pytest.raises(core.InputError, match="nothing in AllFrozen can be trained"):
        core.finetune(model, {}, data)


def test_a_net_that_fails_late_gives_its_best_epoch(data: core.Splits) -> None:
    model = peoples_nets.Fails()
    changes = core.RecipeChanges(epochs=10, batch_size=32)
    result = core.finetune(model, {}, data, changes=changes)
    assert "out of luck (peoples_nets.py line" in result.error
    assert (result.stopped, len(result.epochs)) == (True, 7)
    assert core.evaluate(model, data) == result.accuracy
    changes = core.RecipeChanges(epochs=30, batch_size=32)
    with pytest.raises(core.WorkError, match="out of luck"):
        core.finetune(model, {}, data, changes=changes)


@pytest.mark.parametrize("kind", [peoples_nets.FailsAtOnce, peoples_nets.FailsInTrain])
def test_a_net_that_cannot_be_trained_is_refused(kind: type[nn.Module], data: core.Splits) -> None:
    with pytest.raises(core.InputError, match=r"raised .*\(peoples_nets.py line"):
        core.finetune(kind(), {}, data)
