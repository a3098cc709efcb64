"""The functions of `import core` on a user's own model; README's script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

import core
from core import Batch, Epoch, InputError
from core.data.batches import Splits
from core.events import Measured
from core.formats.weights_files import load_weights
from core.nets.layers import parameter_count, prunable_layers
from core.nets.weights import copy_weights
from core.nets.zoo import model_spec
from core.pruning.budgets.costs import LayerCosts, NetCosts
from tests.core.training_loops import of_type, same

pytestmark = pytest.mark.usefixtures("one_thread")

REPOSITORY = Path(__file__).parents[2]


class Small(nn.Module):
    """A net with a dropout that calls view."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5, stride=4)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(144, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(self.drop(torch.relu(self.conv(x)).view(len(x), -1)))
        return logits


class Flat(Small):
    """The same net, traceable by torch.fx."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.fc(self.drop(torch.relu(self.conv(x)).flatten(1)))
        return logits


@pytest.fixture
def model() -> Small:
    torch.manual_seed(0)
    return Small()


@pytest.fixture
def own(tiny: Splits) -> Splits:
    """The tiny splits, made by `core.splits` of arrays."""
    parts = (tiny.train, tiny.validation, tiny.test)
    return core.splits(*((part.images.numpy(), part.labels.numpy()) for part in parts))


def test_a_model_is_pruned_and_fine_tuned_and_keeps_its_parts(model: Small, own: Splits) -> None:
    parts, modules = [*model.parameters()], dict(model.named_modules())
    plan = core.plan(model, 5)
    budget = parameter_count(model) // 5
    events: list[core.Event] = []
    changes = core.RecipeChanges(epochs=2)
    result = core.finetune(model, plan, own, changes=changes, seed=3, on_event=events.append)
    assert [epoch.epoch for epoch in of_type(Epoch, events)] == [1, 2]
    assert of_type(Batch, events)
    assert same(copy_weights(model), result.weights)
    assert sum(int(p.count_nonzero()) for p in model.parameters()) <= budget
    assert result.masks.revived(model.state_dict()) == result.revived == 0
    assert [id(p) for p in model.parameters()] == [id(p) for p in parts]
    assert dict(model.named_modules()) == modules
    assert model.drop.p == 0.25
    assert model.conv.weight.is_contiguous()
    accuracy = core.evaluate(model, own, on_event=events.append)
    assert accuracy == result.accuracy
    assert events[-1] == Measured("model", accuracy)
    model.drop.eval()
    core.evaluate(model, own)
    assert (model.training, model.drop.training) == (True, False)


def test_a_plan_that_names_some_layers_leaves_the_others(model: Small) -> None:
    before = copy_weights(model)
    masks = core.prune(model, {"fc": 0.9})
    assert int(model.fc.weight.count_nonzero()) == 144
    assert torch.equal(model.conv.weight, before["conv.weight"])
    assert torch.equal(model.fc.bias, before["fc.bias"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        model(torch.randn(4, 1, 28, 28)).square().sum().backward()
        optimizer.step()
        masks.hold(model, optimizer)
    assert int(model.fc.weight.count_nonzero()) == 144


@pytest.mark.parametrize(
    ("value", "kind", "kept"), [(2, "ratio", 777), (700, "kept", 700), (0.002, "mib", 524)]
)
def test_a_goal_is_met_to_the_last_weight(model: Small, value: float, kind, kept: int) -> None:
    core.prune(model, core.plan(model, value, kind, locked={"conv": 0.5}))
    assert sum(int(p.count_nonzero()) for p in model.parameters()) == kept
    assert int(model.conv.weight.count_nonzero()) == 50


def test_masks_go_to_torch_and_come_back(model: Small, own: Splits, tmp_path: Path) -> None:
    masks = core.prune(model, {"fc": 0.8, "conv": 0.5})
    plain = copy_weights(model)
    core.to_torch_prune(model, masks)
    assert torch_prune.is_pruned(model)
    assert torch.equal(model.fc.weight_mask, (plain["fc.weight"] != 0).float())
    torch.save(model.state_dict(), tmp_path / "masked.pt")
    assert same(load_weights(tmp_path / "masked.pt", Small()), plain)
    assert core.evaluate(model, own).test >= 0
    back = core.from_torch_prune(model)
    assert not torch_prune.is_pruned(model)
    assert same(copy_weights(model), plain)
    assert same(back.pruned, masks.pruned)


def test_zeros_of_torchs_masks_are_the_floor_of_a_plan(model: Small, own: Splits) -> None:
    torch_prune.l1_unstructured(model.fc, "weight", amount=0.6)
    core.from_torch_prune(model)
    kept = int(model.fc.weight.count_nonzero())
    result = core.finetune(model, {"conv": 0.5}, own, changes=core.RecipeChanges(epochs=1))
    layers = {layer.name: layer for layer in prunable_layers(model)}
    assert result.masks.kept(layers["fc"]) == kept == 576


def test_untraceable_and_masked_models_are_refused(model: Small, own: Splits) -> None:
    for verb in (core.remove_dead, core.compact):
        with pytest.raises(InputError, match=r"of Small: torch\.fx cannot trace"):
            verb(model, own)
    assert model.training
    core.to_torch_prune(model, core.prune(model, {"fc": 0.8}))
    with pytest.raises(InputError, match="from_torch_prune"):
        core.remove_dead(model, own)


def test_dead_units_are_removed_and_a_smaller_model_has_none(own: Splits) -> None:
    torch.manual_seed(0)
    model = Flat()
    core.prune(model, {"fc": 0.9})
    with torch.no_grad():
        model.conv.weight[2] = 0.0
        model.conv.bias[2] = 0.5
    images, _ = own.test.batch(slice(None))
    model.drop.eval()
    before, logits = copy_weights(model), model(images)
    small = core.compact(model, own)
    assert same(before, copy_weights(model))
    assert (model.training, model.drop.training) == (True, False)
    dead = core.remove_dead(model, own)
    assert dead.units == {"conv": 1, "fc": 0}
    assert parameter_count(small) == parameter_count(model) - 26 - 360 == 1168
    for other in (model, small):
        assert torch.allclose(other(images), logits, atol=1e-6)
    assert (model.training, model.drop.training) == (True, False)


class Reading(nn.Module):
    """Attention and recurrent layers over rows."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.rows, self.cell = nn.LSTM(4, 6, batch_first=True), nn.GRUCell(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.rows(self.attention(x, x, x)[0])[0]
        return self.cell(x[:, -1])


def test_masks_of_packed_and_recurrent_weights_go_to_torch_and_come_back() -> None:
    model = Reading()
    masks = core.prune(model, dict.fromkeys(core.plan(model, 1), 0.5) | {"attention.out_proj": 0})
    held = {key: mask for key, mask in masks.pruned.items() if mask.any()}
    core.to_torch_prune(model, core.Masks(held))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(3, 5, 4)).sum().backward()
        optimizer.step()
    back = core.from_torch_prune(model)
    assert same(back.pruned, masks.pruned)
    assert len(held) == 5


def test_a_mask_that_torch_cannot_hold_is_refused_by_name() -> None:
    model = Reading()
    masks = core.prune(model, {"attention.out_proj": 0.5})
    before = copy_weights(model)
    with pytest.raises(InputError, match=r"out_proj\.weight': .*cannot hold it; call masks\.hold"):
        core.to_torch_prune(model, masks)
    assert same(copy_weights(model), before)


def test_a_layer_that_is_not_there_is_named(model: Small, own: Splits) -> None:
    said = "unknown layer 'fc9': expected one of conv, fc"
    with pytest.raises(InputError, match=said):
        core.prune(model, {"fc9": 0.5})
    with pytest.raises(InputError, match=said):
        core.finetune(model, {"fc9": 0.5}, own)


@given(st.lists(st.integers(0, 4), min_size=120, max_size=200), st.booleans())
def test_splits_hold_out_every_class_alike_and_lose_nothing(labels: list[int], test: bool) -> None:
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None]
    given_test = (images[:3], np.array(labels[:3])) if test else None
    made = core.splits((images, np.array(labels)), test=given_test)
    seen = [*made.train.images.flatten().tolist(), *made.validation.images.flatten().tolist()]
    if not test:
        seen += made.test.images.flatten().tolist()
    assert sorted(seen) == list(range(len(labels)))
    again = core.splits((images, np.array(labels)), test=given_test)
    assert torch.equal(again.validation.images, made.validation.images)
    for split in (made.train, made.validation):
        assert [labels[at] for at in split.images.flatten().tolist()] == split.labels.tolist()


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((30, 28, 28), np.uint8), np.zeros(30, int), r"expected \[N, C, H, W\] in uint8"),
        (np.zeros((30, 1, 2, 2), float), np.zeros(30, int), r"float64: expected"),
        (np.zeros((30, 1, 2, 2), np.uint8), np.zeros(29, int), r"expected \[30\] integers"),
        (np.zeros((30, 1, 2, 2), np.uint8), np.zeros(30), r"float64: expected \[30\]"),
        (np.zeros((5, 1, 2, 2), np.uint8), np.zeros(5, int), "5 images: expected at least 12"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(images, labels, said: str) -> None:
    with pytest.raises(InputError, match=said):
        core.splits((images, labels))


def test_every_public_name_of_core_exists_and_is_documented() -> None:
    for name in core.__all__:
        assert getattr(core, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = core.nothing


def test_a_pruned_model_is_accelerated_and_stays_as_it_is(tiny: Splits) -> None:
    model = model_spec("lenet-300-100").build()
    core.prune(model, core.plan(model, 12))
    before = copy_weights(model)
    found = core.accelerate(model, tiny, batch=3)
    images, _ = tiny.test.batch(slice(0, 20))
    with torch.no_grad():
        assert torch.allclose(found.net(images), model.eval()(images), atol=1e-4)
    assert same(before, copy_weights(model))
    with pytest.raises(InputError, match="a batch of 0 images"):
        core.accelerate(model, tiny, batch=0)


def test_a_model_is_planned_by_multiplications_and_by_time(
    tiny: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.inference.sparse.layer_times.SECONDS", 0.0)
    model = Flat()
    macs, times = core.costs(model, tiny), core.costs(model, tiny, "ms")
    assert (macs.unit, macs.dense) == ("macs", 100 * 36 + 1440)
    assert list(times.layers) == ["conv", "fc"]
    before = copy_weights(model)
    plan = core.plan(model, 50, "macs_percent", method="uniform", costs=macs)
    assert plan == pytest.approx({"conv": 0.5, "fc": 0.5}, abs=0.01)
    each = {name: LayerCosts((0, 1440), (0.0, 1440.0)) for name in times.layers}
    plan = core.plan(model, 0.001, "ms", method="uniform", costs=NetCosts("ns", each, 10.0))
    assert plan == pytest.approx({"conv": 1 - 990 / 1540, "fc": 1 - 990 / 1540}, abs=0.01)
    assert same(before, copy_weights(model))
    with pytest.raises(InputError, match=r"'ms' needs costs=core\.costs\(model, data, 'ms'\)"):
        core.plan(model, 1, "ms", costs=macs)
    with pytest.raises(InputError, match=r"'macs_percent' needs .*'macs'\)"):
        core.plan(model, 1, "macs_percent")
    with pytest.raises(InputError, match="unknown kind 'flops': expected one of macs, ms"):
        core.costs(model, tiny, "flops")
