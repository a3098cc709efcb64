"""Every API function on typical user models: it works, and the model is unchanged."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

import core
from core.nets.layers import parameter_count

pytestmark = pytest.mark.usefixtures("one_thread")


class Residual(nn.Module):
    """A net with batch norms and additions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
            for _ in range(3)
        )
        self.head = nn.Linear(6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x)).relu()
        for block in self.blocks:
            x = (x + block(x)).relu()
        return self.head(x.mean((2, 3)))


class Transformer(nn.Module):
    """A transformer with image rows as tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Linear(8, 12), nn.Embedding(8, 12)
        layer = nn.TransformerEncoderLayer(12, 2, 24, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x[:, 0]) + self.place.weight).mean(1))


class Recurrent(nn.Module):
    """A recurrent net over image rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.head = nn.LSTM(8, 12, 2, batch_first=True), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rows(x[:, 0])[0][:, -1])


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.drop = nn.Conv2d(1, 6, 3), nn.Dropout(0.25)
        self.fc1, self.fc2 = nn.Linear(216, 20), nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(self.drop(self.conv(x).relu()).flatten(1)).relu())


class KeepsActivation(Plain):
    def forward(self, x: Tensor) -> Tensor:
        self.features = self.conv(x).relu()
        return self.fc2(self.fc1(self.features.flatten(1)).relu())


def fifty_layers() -> nn.Module:
    hidden = (part for _ in range(49) for part in (nn.Linear(12, 12), nn.ReLU()))
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), *hidden, nn.Linear(12, 10))


def after_a_step() -> nn.Module:
    model = KeepsActivation()
    model(torch.zeros(2, 1, 8, 8)).sum().backward()
    return model


def locked() -> nn.Module:
    model = Plain()
    model.lock = threading.RLock()
    return model


def weight_normed() -> nn.Module:
    model = Plain()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nn.utils.weight_norm(model.fc2)
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "residual": Residual,
    "transformer": Transformer,
    "lstm": Recurrent,
    "fifty layers": fifty_layers,
    "a kept activation": after_a_step,
    "a lock": locked,
    "old weight norm": weight_normed,
}


@pytest.fixture(scope="module")
def data() -> core.Splits:
    """Ten classes of 8x8 images: a row of each class is bright, or a column."""
    images = torch.randint(0, 64, (240, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    labels = torch.arange(240) % 10
    for image, label in zip(images[:, 0], labels.tolist(), strict=True):
        (image if label < 5 else image.t())[label % 5 + 1] += 150
    return core.splits((images.to(torch.uint8), labels))


def state(model: nn.Module, weights: bool = True) -> tuple[object, ...]:
    """Everything a call must leave unchanged."""
    modules, parameters = list(model.modules()), list(model.parameters())
    return (
        [
            (module.training, list(vars(module)), list(module._forward_pre_hooks))
            for module in modules
        ],
        [
            (id(parameter), parameter.requires_grad, parameter.device, parameter.stride())
            for parameter in parameters
        ],
        [tensor.detach().flatten().tolist() for tensor in model.state_dict().values() if weights],
        torch.get_rng_state().tolist(),
    )


def half_in_training(model: nn.Module) -> nn.Module:
    """Freeze the first part and set it to evaluation."""
    model.train()
    next(model.children()).eval().requires_grad_(False)
    return model


@pytest.mark.parametrize("name", MODELS)
def test_every_call_takes_any_model_and_changes_only_its_weights(
    name: str, data: core.Splits
) -> None:
    torch.manual_seed(0)
    model = half_in_training(MODELS[name]())
    core.prune(model, core.plan(model, 1.3))
    before = state(model)
    accuracy = core.evaluate(model, data)
    scan = core.scan(model, data, sparsities=(0.0,))
    assert {points[0].accuracy for points in scan.layers.values()} == {accuracy.validation}
    assert core.compact(model, data)(data.test.batch(slice(0, 2))[0]).shape == (2, 10)
    assert state(model) == before
    trained = state(model, weights=False)
    result = core.finetune(model, core.plan(model, 2), data, changes=core.RecipeChanges(epochs=1))
    core.remove_dead(model, data)
    assert state(model, weights=False) == trained
    assert core.evaluate(model, data) == result.accuracy
    nonzero = sum(int(parameter.count_nonzero()) for parameter in model.parameters())
    assert nonzero <= parameter_count(model) / 2


CALLS: dict[str, Callable[..., object]] = {
    "finetune": lambda model, data, **how: core.finetune(model, {}, data, **how),
    "evaluate": core.evaluate,
    "accelerate": core.accelerate,
    "scan": core.scan,
}


@pytest.mark.parametrize("call", CALLS)
def test_an_error_in_on_event_ends_a_call_and_the_model_is_as_it_was(
    call: str, data: core.Splits
) -> None:
    model = half_in_training(Plain())
    before, events = state(model), list[core.Event]()

    def fail(event: core.Event) -> None:
        events.append(event)
        if len(events) == 2:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        CALLS[call](model, data, on_event=fail)
    assert len(events) == 2
    assert state(model) == before


@pytest.mark.parametrize("call", ["evaluate", "accelerate"])
def test_a_stop_before_there_is_a_result_raises(call: str, data: core.Splits) -> None:
    model = half_in_training(Plain())
    before = state(model)
    with pytest.raises(core.StoppedError):
        CALLS[call](model, data, stop=lambda: True)
    assert state(model) == before


def test_a_stop_returns_what_there_is(data: core.Splits) -> None:
    model = Plain()
    assert core.scan(model, data, stop=lambda: True).stopped
    result = core.finetune(model, {"fc1": 0.5}, data, stop=lambda: True)
    assert result.stopped
    assert int(model.fc1.weight.count_nonzero()) == 216 * 10


def test_a_divergence_is_an_error_and_leaves_the_model_as_it_was(data: core.Splits) -> None:
    model = half_in_training(Plain())
    nn.init.constant_(model.fc2.weight, 3e38)
    before = state(model)
    with pytest.raises(core.WorkError):
        core.finetune(model, {}, data, changes=core.RecipeChanges(epochs=1))
    assert state(model) == before


def test_a_stream_that_is_abandoned_leaves_the_model_as_it_was(data: core.Splits) -> None:
    model = half_in_training(Plain())
    before = state(model)
    stream = core.streams.finetune(model, {"fc1": 0.5}, data)
    for event in stream:
        if isinstance(event, core.Batch):
            break
    stream.close()
    assert state(model) == before


def test_a_stream_gives_the_result_of_the_call(data: core.Splits) -> None:
    model, events = Plain(), list[core.Event]()
    found = core.drain(core.streams.scan(model, data, sparsities=(0.5,)), events.append)
    assert found == core.scan(model, data, sparsities=(0.5,))
    assert any(isinstance(event, core.Progress) for event in events)


def test_a_scan_counts_what_pruning_one_layer_leaves(data: core.Splits) -> None:
    torch.manual_seed(0)
    model = Plain()
    core.finetune(model, {}, data, changes=core.RecipeChanges(epochs=3, batch_size=20))
    found = core.scan(model, data, sparsities=(0.5, 0.9), uniform=True, split="test")
    assert found.exact
    assert (found.images, found.split) == (len(data.test), "test")
    for names, points in [((name,), curve) for name, curve in found.layers.items()] + [
        (tuple(found.layers), found.uniform)
    ]:
        for point in points:
            pruned = Plain()
            pruned.load_state_dict(model.state_dict())
            core.prune(pruned, dict.fromkeys(names, point.sparsity))
            assert point.accuracy == core.evaluate(pruned, data).test
    dense = core.evaluate(model, data).test
    plan = core.plan(model, 3, method="sensitivity", scan=found, dense=dense)
    assert set(plan) == {"conv", "fc1", "fc2"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda model, data: core.load("mnist", __file__),
        lambda model, data: core.scan(model, data, split="train"),
        lambda model, data: core.scan(model, data, sparsities=(1.5,)),
        lambda model, data: core.scan(model, data, within=0),
        lambda model, data: core.scan(model, data, precision="half"),
        lambda model, data: core.scan(model, data, seed=-1),
        lambda model, data: core.finetune(model, {}, data, precision="half"),
        lambda model, data: core.finetune(model, {}, data, seed=0.5),
        lambda model, data: core.finetune(model, {}, data, recipe="slow"),
        lambda model, data: core.finetune(model, {"fc1": 1.5}, data),
        lambda model, data: core.plan(model, 3, method="sensitivity"),
        lambda model, data: core.plan(model, 3, "times"),
        lambda model, data: core.plan(nn.ReLU(), 3),
        lambda model, data: core.evaluate(model, [data.train.batch(slice(0, 2))]),
        lambda model, data: core.remove_dead(model, data.test),
        lambda model, data: core.prune(model, {"fc1": -1}),
        lambda model, data: core.save(model, "net.zip"),
        lambda model, data: core.load_weights(model, "/nowhere.fw"),
        lambda model, data: core.to_torch_prune(model, core.prune(fifty_layers(), {})),
        lambda model, data: core.to_torch_prune(
            model, core.Masks({"fc1.weight": torch.ones(2, 2, dtype=torch.bool)})
        ),
    ],
)
def test_bad_input_is_refused_and_the_model_is_as_it_was(
    wrong: Callable[[nn.Module, core.Splits], object], data: core.Splits
) -> None:
    model = half_in_training(Plain())
    before = state(model)
    with pytest.raises(core.InputError):
        wrong(model, data)
    assert state(model)[:3] == before[:3]


def test_masks_of_torch_have_to_be_taken_first(data: core.Splits) -> None:
    model = Plain()
    torch_prune.l1_unstructured(model.fc1, "weight", 0.5)
    before = state(model)
    core.evaluate(model, data)
    for call in (core.scan, core.compact, core.remove_dead, core.accelerate):
        with pytest.raises(core.InputError, match=r"masks of fc1\.weight.*from_torch_prune"):
            call(model, data)
    for refused in (lambda: core.plan(model, 2), lambda: core.save(model, "net.fw")):
        with pytest.raises(core.InputError, match="from_torch_prune"):
            refused()
    assert state(model) == before


def test_every_tensor_that_torch_has_masked_is_plain_again(data: core.Splits) -> None:
    model = Recurrent()
    model.norm, model.attention = nn.BatchNorm1d(8), nn.MultiheadAttention(4, 2)
    masked = [
        (model.rows, "weight_hh_l0"),
        (model.head, "bias"),
        (model.head, "weight"),
        (model.norm, "weight"),
        (model.attention, "in_proj_weight"),
    ]
    for module, name in masked:
        torch_prune.l1_unstructured(module, name, 0.5)
    names = {key.removesuffix("_orig") for key in model.state_dict() if not key.endswith("_mask")}
    masks = core.from_torch_prune(model)
    assert set(model.state_dict()) == names
    for module, name in masked:
        parameter = getattr(module, name)
        assert isinstance(parameter, nn.Parameter)
        assert int(parameter.count_nonzero()) == parameter.numel() // 2
    assert int(masks.pruned["rows.weight_hh_l0"].sum()) == 48 * 12 // 2
    core.finetune(model, {}, data, changes=core.RecipeChanges(epochs=1))
    assert masks.revived(model.state_dict()) == 0


@pytest.mark.parametrize("suffix", [".fw", ".safetensors", ".pt", ".pth"])
@pytest.mark.parametrize("name", ["residual", "lstm"])
def test_a_saved_model_comes_back_to_the_bit(name: str, suffix: str, tmp_path: Path) -> None:
    model, other = MODELS[name](), MODELS[name]()
    core.prune(model, core.plan(model, 2))
    path = tmp_path / f"net{suffix}"
    assert core.save(model, path) == path.stat().st_size
    core.load_weights(other, str(path))
    found = other.state_dict()
    assert all(torch.equal(tensor, found[key]) for key, tensor in model.state_dict().items())


def test_a_compact_file_is_smaller_than_its_nonzeros(tmp_path: Path) -> None:
    model = Plain()
    core.prune(model, core.plan(model, 20))
    nonzero = sum(int(parameter.count_nonzero()) for parameter in model.parameters())
    assert core.save(model, tmp_path / "net.fw") < 4 * nonzero + 300
