"""Recalibration: statistics of closed form, the same for the same seed, none for other nets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.errors import StoppedError
from core.events import Event, drain
from core.measure.recalibration import (
    BATCH_IMAGES,
    Recalibration,
    fixed_statistics,
    prune_into,
    recalibrate,
    recalibration_of,
    running_norms,
    sample_batches,
)
from core.nets.calls import NetError
from core.nets.layers import prunable_layers
from core.nets.weights import copy_weights
from core.training.finetuning import prune_and_measure
from tests.core.conftest import head
from tests.core.measure.recalibration.residual import Residual, trained_residual

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def trained(few: Splits) -> Residual:
    model = Residual()
    model.load_state_dict(trained_residual(head(few.train, 1000), epochs=2))
    return model.eval()


def linear(norm: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10), norm)


def sampled(data: Images, seed: int) -> list[Tensor]:
    """The batches of a sample as the net gets them."""
    return [data.batch(index)[0] for index in sample_batches(data, seed)]


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.SyncBatchNorm])
def test_statistics_after_a_linear_layer_are_the_mean_and_unbiased_variance(
    few: Splits, kind: type[nn.BatchNorm1d] | type[nn.SyncBatchNorm]
) -> None:
    data = head(few.train, BATCH_IMAGES)  # one batch
    norm = kind(10)
    model = linear(norm)
    assert drain(recalibrate(model, data, seed=4)) == Recalibration(1, BATCH_IMAGES, 4)
    outputs = torch.cat([model[:2](images) for images in sampled(data, 4)])
    torch.testing.assert_close(norm.running_mean, outputs.mean(0))
    torch.testing.assert_close(norm.running_var, outputs.var(0))


@given(images=st.integers(2, 400), seed=st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_statistics_are_the_plain_means_over_equal_batches(
    few: Splits, images: int, seed: int
) -> None:
    data, norm = head(few.train, images), nn.BatchNorm1d(10)
    model = linear(norm)
    what = drain(recalibrate(model, data, seed=seed))
    batches = sampled(data, seed)
    outputs = [model[:2](batch) for batch in batches]
    assert {len(batch) for batch in batches} == {len(batches[0])}
    assert (
        what
        == recalibration_of(model, data, seed)
        == Recalibration(1, sum(map(len, batches)), seed)
    )
    assert images - len(batches) < sum(map(len, batches)) <= images
    mean, var = (
        torch.stack(rows).mean(0)
        for rows in zip(*[(y.mean(0), y.var(0)) for y in outputs], strict=True)
    )
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, var)


def test_they_are_those_of_torch_without_momentum(few: Splits, trained: Residual) -> None:
    """torch.optim.swa_utils.update_bn does the same for BatchNorm."""
    ours, theirs = Residual(), Residual()
    for model in (ours, theirs):
        model.load_state_dict(trained.state_dict())
    drain(recalibrate(ours, few.train, seed=2))
    torch.optim.swa_utils.update_bn(sampled(few.train, 2), theirs)
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=1e-5, atol=1e-6)


def test_instance_norm_is_recalibrated_too(few: Splits) -> None:
    norm = nn.InstanceNorm2d(3, track_running_stats=True)
    model = nn.Sequential(nn.Conv2d(1, 3, 5), norm, nn.Flatten(), nn.Linear(3 * 576, 10))
    drain(recalibrate(model, few.train, seed=0))
    outputs = torch.cat([model[0](images) for images in sampled(few.train, 0)])
    torch.testing.assert_close(
        norm.running_mean, outputs.mean((2, 3)).mean(0), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(norm.running_var, outputs.var((2, 3)).mean(0), rtol=1e-4, atol=1e-5)


def test_a_layer_called_twice_has_the_mean_of_both_calls(few: Splits) -> None:
    norm = nn.BatchNorm1d(10)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), norm, nn.Linear(10, 10), norm)
    data = head(few.train, 50)
    drain(recalibrate(model, data))
    (images,) = sampled(data, 0)
    norm.momentum, twice = None, copy_weights(norm)
    norm.reset_running_stats()
    norm.train()
    model(images)
    torch.testing.assert_close(norm.running_mean, twice["running_mean"])
    torch.testing.assert_close(norm.running_var, twice["running_var"])


def test_statistics_of_the_same_sample_change_nothing(few: Splits, trained: Residual) -> None:
    model = Residual()
    model.load_state_dict(trained.state_dict())
    drain(recalibrate(model, few.train, seed=1))
    images, _ = few.validation.batch(slice(0, 50))
    before, weights = model(images), copy_weights(model)
    plan = dict.fromkeys(
        ("stem", "blocks.0.0", "blocks.0.3", "blocks.1.0", "blocks.1.3", "fc"), 0.0
    )
    drain(recalibrate(model, few.train, seed=1))
    torch.testing.assert_close(model(images), before)
    assert drain(prune_into(model, weights, plan, few.train)) is None  # prunes nothing
    assert_same(copy_weights(model), weights)


def test_the_seed_decides(few: Splits, trained: Residual) -> None:
    def after(seed: int) -> dict[str, Tensor]:
        model = Residual()
        model.load_state_dict(trained.state_dict())
        torch.manual_seed(seed + 100)  # the global generator does not matter
        drain(recalibrate(model, few.train, seed=seed))
        return copy_weights(model)

    assert_same(after(3), after(3))
    assert not torch.equal(after(3)["norm.running_mean"], after(4)["norm.running_mean"])


def test_a_residual_net_pruned_hard_is_better_than_stale(few: Splits, trained: Residual) -> None:
    weights = copy_weights(trained)
    layers = prunable_layers(trained)
    plan = {layer.name: 0.9 if "blocks" in layer.name else 0.0 for layer in layers}
    stale, fresh = (
        drain(prune_and_measure(Residual(), weights, plan, few, recalibrates=recalibrates))
        for recalibrates in (False, True)
    )
    assert fresh.validation > stale.validation + 10
    assert fresh.test > stale.test + 10


def test_only_normalization_trains_and_everything_else_is_as_before(few: Splits) -> None:
    norm, dropout = nn.BatchNorm1d(10, momentum=0.3), nn.Dropout(0.5)
    model = nn.Sequential(nn.Flatten(), dropout, nn.Linear(784, 10), norm).train()
    before = copy_weights(model)
    modes = []
    dropout.register_forward_hook(lambda module, *_: modes.append((module.training, norm.training)))
    drain(recalibrate(model, few.train))
    assert set(modes) == {(False, True)}
    assert not any(module.training for module in model.modules())
    assert norm.momentum == 0.3
    assert not norm._forward_pre_hooks
    changed = {
        name
        for name, tensor in copy_weights(model).items()
        if not torch.equal(tensor, before[name])
    }
    assert changed == {"3.running_mean", "3.running_var", "3.num_batches_tracked"}
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_layer_that_is_not_called_keeps_its_statistics(few: Splits) -> None:
    model = linear(nn.BatchNorm1d(10))
    model[1].register_module("head", unused := nn.BatchNorm1d(4))
    unused.running_mean.fill_(3.0)
    before = copy_weights(unused)
    drain(recalibrate(model, few.train))
    assert_same(copy_weights(unused), before)
    assert not unused.training


def test_weights_in_shared_memory_stay(few: Splits, trained: Residual) -> None:
    weights = copy_weights(trained)
    before = {name: tensor.clone() for name, tensor in weights.items()}
    model = Residual()
    model.load_state_dict(weights, assign=True)
    drain(recalibrate(model, few.train))
    assert_same(weights, before)


def test_stopping_leaves_the_statistics_from_before(few: Splits, trained: Residual) -> None:
    model = Residual()
    model.load_state_dict(trained.state_dict())
    flags = iter((False, False, True))
    with pytest.raises(StoppedError):
        drain(recalibrate(model, few.train, stop=lambda: next(flags)))
    assert_same(copy_weights(model), copy_weights(trained))
    dropped = recalibrate(model, few.train)
    next(dropped), next(dropped)
    dropped.close()
    assert_same(copy_weights(model), copy_weights(trained))
    assert not any(module.training for module in model.modules())


class Uncallable(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.Sequential(nn.Linear(784, 10), *parts)

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("no batch may run")


@pytest.mark.parametrize(
    "parts", [(), (nn.LayerNorm(10),), (nn.BatchNorm1d(10, track_running_stats=False),)]
)
def test_a_net_without_running_statistics_runs_no_batch(
    few: Splits, parts: tuple[nn.Module, ...]
) -> None:
    model, events = Uncallable(*parts), list[Event]()
    weights = copy_weights(model)
    assert drain(recalibrate(model, few.train), events.append) is None
    assert drain(prune_into(model, weights, {"parts.0": 0.5}, few.train), events.append) is None
    assert not events
    with pytest.raises(NetError, match="normalization layers in training"):
        drain(recalibrate(Uncallable(nn.BatchNorm1d(10)), few.train))


def test_large_images_make_a_smaller_sample(few: Splits) -> None:
    color = replace(few.train, size=224, channels=3)
    sizes = [len(batch) for batch in sample_batches(color, 0)]
    assert len(set(sizes)) == 1
    assert sizes[0] < 20 < 90 < sum(sizes) <= 106
    assert not sample_batches(head(few.train, 1), 0)
    assert [len(batch) for batch in sample_batches(replace(head(few.train, 3), size=4000), 0)] == [
        2
    ]


def test_statistics_of_other_classes_are_named() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("running_mean", torch.zeros(3))

    model = nn.Sequential(Own(), nn.BatchNorm1d(3), nn.SyncBatchNorm(3), nn.LayerNorm(3))
    assert fixed_statistics(model) == ("0",)
    assert list(running_norms(model)) == ["1", "2"]


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name
