"""Nets exported to files, quantized and fine-tuned, and measured from the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from PIL import Image
from torch import nn

from core.data.batches import Splits
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.errors import InputError
from core.events import Accuracy, Batch, Epoch, Event, Notice, drain
from core.formats.codebooks import CodebookTensor
from core.formats.codec import Tied
from core.formats.codec.numpy_inference import main
from core.formats.export_formats import SUFFIXES, VALUES, Packing
from core.formats.onnx import OPSET, OnnxNet
from core.formats.packing import image_facts
from core.formats.weights_files import load_weights
from core.jobs.dense_net import measured_net
from core.jobs.export import ExportResult, export, export_report, inspect_report, measure_file
from core.jobs.quantization import quantize, quantize_within_drop
from core.jobs.workbench import Workbench
from core.nets.weights import DenseWeights, Weights, copy_weights
from core.pruning.masks import Masks
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.data.folders.drawn import fill, shade, spotted
from tests.core.training_loops import of_type, same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def workbench(data_dir: Path, few: Splits) -> Workbench:
    """The shipped LeNet-300-100 on a few images, which are small and quick."""
    workbench = Workbench(Settings(model="lenet-300-100", data_dir=data_dir, precision="fp32"))
    workbench._splits = few
    return workbench


@pytest.fixture(scope="module")
def pruned(workbench: Workbench) -> Weights:
    """The dense net pruned to a tenth, in one shot."""
    dense = load_weights(workbench.spec.shipped_weights, workbench.models.uninitialized())
    plan = {"fc1": 0.92, "fc2": 0.8, "fc3": 0.5}
    return Masks.of(dense, workbench.layers, plan).apply(dense)


def exact(workbench: Workbench, weights: Weights) -> Accuracy:
    return drain(measured_net(workbench, DenseWeights(weights, None))).accuracy


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != ".onnx"])
def test_every_format_gives_back_every_bit(
    workbench: Workbench, pruned: Weights, tmp_path: Path, suffix: str
) -> None:
    found = drain(export(workbench, pruned, tmp_path / f"net{suffix}", Packing()))
    assert same(load_weights(found.path, workbench.models.uninitialized()), pruned)
    assert found.bytes == found.path.stat().st_size
    assert found.accuracy == exact(workbench, pruned)
    assert (found.inspection is None) == (suffix != ".fw")


def test_onnx_gives_the_logits_of_torch_for_any_number_of_images(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    found = drain(export(workbench, pruned, tmp_path / "net.onnx", Packing()))
    assert found.accuracy == exact(workbench, pruned)
    model, net = (
        workbench.models.for_inference(pruned).eval(),
        OnnxNet(found.path.read_bytes(), "it"),
    )
    for count in (1, 7, 64):
        images, _ = drain(workbench.splits()).test.batch(slice(0, count))
        with torch.no_grad():
            assert torch.allclose(net(images), model(images), rtol=1e-4, atol=1e-4)
    opsets = onnx.load(found.path).opset_import
    assert [(opset.domain, opset.version) for opset in opsets] == [("", OPSET)]
    found.path.write_bytes(b"no net")
    with pytest.raises(InputError, match=r"cannot read .*net\.onnx as ONNX"):
        drain(measure_file(workbench, found.path))


@pytest.mark.parametrize("values", VALUES)
def test_an_exports_accuracy_is_that_of_its_file(
    workbench: Workbench, pruned: Weights, tmp_path: Path, values: str
) -> None:
    shared = values in ("codebook", "steps")
    packing = Packing(values, levels=16 if shared else None)
    found = drain(export(workbench, pruned, tmp_path / "net.fw", packing))
    read = load_weights(found.path, workbench.models.uninitialized())
    for layer in workbench.layers:
        # Units are reordered, and dead ones removed.
        left = read[layer.key].count_nonzero(), pruned[layer.key].count_nonzero()
        assert 0 < left[0] <= left[1], "what is pruned stays pruned"
        if shared:
            kinds = torch.unique(read[layer.key])
            assert len(kinds) <= 17
    again = drain(measure_file(workbench, found.path))
    assert again.accuracy == found.accuracy
    before = exact(workbench, pruned)
    assert abs(found.accuracy.validation - before.validation) < 4
    report = export_report(found, packing, before)
    assert report["bytes"] == found.bytes == sum(report["parts"].values())
    assert report["levels"] == (16 if shared else None)


def test_a_quantised_file_is_much_smaller(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    def size(packing: Packing) -> int:
        return drain(export(workbench, pruned, tmp_path / "net.fw", packing)).bytes

    whole, half = size(Packing()), size(Packing("float16"))
    sixteen, four = (size(Packing("codebook", levels=n)) for n in (16, 4))
    assert whole > 1.4 * half > 1.8 * sixteen > 2 * four


def test_straight_through_training_recovers_accuracy(workbench: Workbench, pruned: Weights) -> None:
    # Small batches, for enough steps on few images.
    workbench = workbench.with_settings(
        replace(workbench.settings, changes=RecipeChanges(batch_size=10))
    )
    rough = drain(quantize(workbench, pruned, 2))
    events: list[Event] = []
    tuned = drain(quantize(workbench, pruned, 2, epochs=2), events.append)
    epochs = of_type(Epoch, events)
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    assert all(epoch.revived == 0 for epoch in epochs)
    assert {batch.sparsity for batch in of_type(Batch, events)} == {epochs[0].sparsity}
    assert tuned.validation == max([rough.validation, *(epoch.validation for epoch in epochs)])
    assert tuned.validation > rough.validation + 1
    for layer in workbench.layers:
        weight, quantized = tuned.weights[layer.key], tuned.quantized[layer.key]
        assert isinstance(quantized, CodebookTensor)
        assert torch.equal(weight, quantized.tensor())
        assert len(torch.unique(weight[weight != 0])) <= 2
        assert not weight[pruned[layer.key] == 0].any()


def test_a_stopped_quantization_returns_the_best_so_far(
    workbench: Workbench, pruned: Weights
) -> None:
    rough = drain(quantize(workbench, pruned, 4))
    events: list[Event] = []
    stopped = quantize(
        workbench, pruned, 4, epochs=50, stop=lambda: len(of_type(Epoch, events)) > 0
    )
    found = drain(stopped, events.append)
    assert len(of_type(Epoch, events)) == 1
    assert found.validation >= rough.validation


def test_quantization_takes_the_fewest_values_within_the_drop(
    workbench: Workbench, pruned: Weights
) -> None:
    least = exact(workbench, pruned).validation - 1.0
    events: list[Event] = []
    found = drain(quantize_within_drop(workbench, pruned, 1.0), events.append)
    assert found.validation >= least
    tried = [notice.text for notice in of_type(Notice, events)]
    assert tried[-1].startswith(f"{found.size} values per layer: validation")
    assert all("below" in text for text in tried[:-1])
    assert "below" not in tried[-1]
    for size in range(2, found.size):
        if any(text.startswith(f"{size} values") for text in tried):
            assert drain(quantize(workbench, pruned, size)).validation < least


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"values": "int4"}, "values = 'int4': expected one of codebook"),
        ({"values": "codebook"}, "either --levels N or --max-drop"),
        ({"values": "steps", "levels": 4, "max_drop": 1.0}, "either --levels N or --max-drop"),
        (
            {"values": "codebook", "levels": 300},
            "levels = 300: expected a whole number from 2 to 256",
        ),
        ({"levels": 4}, "--values float32 shares no values"),
        ({"values": "float16", "epochs": 1}, "--values float16 shares no values"),
        (
            {"values": "codebook", "max_drop": -1.0},
            "max_drop = -1.0: expected a number from 0 to 100",
        ),
    ],
)
def test_packings_that_make_no_sense_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Packing(**given)


def test_a_format_that_is_not_known_is_refused_before_anything_is_done(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"net\.zip': expected a name ending in one of \.fw"):
        drain(export(workbench, pruned, tmp_path / "net.zip", Packing()))
    packing = Packing("codebook", levels=4)
    with pytest.raises(InputError, match=r"quantized nets need a \.fw file"):
        drain(export(workbench, pruned, tmp_path / "net.pt", packing))
    with pytest.raises(InputError, match="does not exist"):
        drain(export(workbench, pruned, tmp_path / "missing" / "net.fw", Packing()))
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_net_is_refused(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    found = drain(export(workbench, pruned, tmp_path / "net.fw", Packing()))
    other = Workbench(replace(workbench.settings, model="cnn5"))
    with pytest.raises(InputError, match=r"net\.fw does not fit Cnn5"):
        load_weights(found.path, other.models.uninitialized())
    found.path.write_bytes(found.path.read_bytes()[:-9])
    with pytest.raises(InputError, match=r"cannot read .*net\.fw: "):
        load_weights(found.path, workbench.models.uninitialized())


def test_facts_say_which_images_where_the_name_does_not(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    def facts(workbench: Workbench) -> ExportResult:
        return drain(export(workbench, pruned, tmp_path / "net.fw", Packing()))

    plain = facts(workbench)
    assert plain.inspection is not None
    assert dict(plain.inspection.file.facts) == {}
    other = workbench.with_settings(replace(workbench.settings, dataset="fashion-mnist"))
    found = facts(other)
    assert found.inspection is not None
    report = inspect_report(found.inspection, found.accuracy)
    assert report["facts"] == {"dataset": "fashion-mnist"}
    assert report["model"] == "lenet-300-100"


def test_sizes_are_those_of_real_bytes(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    sizes = workbench.sizes(pruned)
    found = drain(export(workbench, pruned, tmp_path / "net.fw", Packing()))
    dense = drain(export(workbench, pruned, tmp_path / "net.safetensors", Packing()))
    assert sizes.compact == found.bytes
    assert sizes.dense is not None
    assert abs(sizes.dense - dense.bytes) < 200, "notes in the header"
    nonzero = sum(
        int(tensor.count_nonzero()) for name, tensor in pruned.items() if "weight" in name
    )
    assert sizes.values == 4 * (nonzero + 410)
    assert sizes.han2015 == 4 * 410 + (37 * _entries_one_by_one(pruned) + 7) // 8
    assert sizes.compact < sizes.values + 0.13 * nonzero * 8 < sizes.han2015
    assert sizes.compact < (sizes.zip or 0)


class Frozen(nn.Module):
    """A net whose batch size becomes a constant when traced."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, *_ = map(int, x.shape)
        return self.fc(x.reshape(n, 784))


class Own(nn.Module):
    """A tied weight, a norm, an integer parameter, a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(784, 32)
        self.norm = nn.BatchNorm1d(32)
        self.second = nn.Linear(32, 32)
        self.third = nn.Linear(32, 32)
        self.third.weight = self.second.weight
        self.last = nn.Linear(32, 10)
        self.counts = nn.Parameter(torch.tensor([1, 2, 3, 10]), requires_grad=False)
        with torch.no_grad():
            self.norm.weight.uniform_(0.1, 0.7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x.flatten(1))))
        return self.last(torch.relu(self.third(torch.relu(self.second(x)))))


def own(net: type[nn.Module], few: Splits, data_dir: Path) -> tuple[Workbench, Weights]:
    """A user's own net on the few images, pruned by half."""
    name = f"{__name__}:{net.__name__}"
    workbench = Workbench(Settings(model=name, data_dir=data_dir, precision="fp32"))
    workbench._splits = few
    weights = copy_weights(workbench.fresh_model())
    plan = dict.fromkeys(workbench.layer_names, 0.5)
    return workbench, Masks.of(weights, workbench.layers, plan).apply(weights)


@pytest.mark.parametrize("values", ["float32", "codebook"])
def test_a_user_nets_export_keeps_buffers_and_ties(
    few: Splits, data_dir: Path, tmp_path: Path, values: str
) -> None:
    workbench, weights = own(Own, few, data_dir)
    packing = Packing(values, levels=8 if values == "codebook" else None)
    found = drain(export(workbench, weights, tmp_path / "net.fw", packing))
    assert found.inspection is not None
    kept = {entry.name: entry.values for entry in found.inspection.file.entries}
    assert kept["third.weight"] == Tied("second.weight")
    read = load_weights(found.path, workbench.models.uninitialized())
    assert torch.equal(read["counts"], torch.tensor([1, 2, 3, 10]))
    scales = (read["norm.weight"].sort().values, weights["norm.weight"].sort().values)
    assert torch.equal(*scales), "the scales of a norm are no biases"
    assert read["norm.num_batches_tracked"].dtype == torch.int64
    if values == "float32":
        assert same(read, weights)


def test_negative_zeros_are_zeros(workbench: Workbench, pruned: Weights, tmp_path: Path) -> None:
    negative = {
        name: torch.where(tensor == 0, -0.0, tensor) if name.endswith("weight") else tensor
        for name, tensor in pruned.items()
    }
    found = drain(export(workbench, negative, tmp_path / "net.fw", Packing()))
    plain = drain(export(workbench, pruned, tmp_path / "plain.fw", Packing()))
    assert found.path.read_bytes() == plain.path.read_bytes()


def test_values_too_large_for_the_type_are_refused_and_nothing_is_written(
    workbench: Workbench, pruned: Weights, tmp_path: Path
) -> None:
    large = {**pruned, "fc1.bias": pruned["fc1.bias"] + 70_000}
    with pytest.raises(InputError, match=r"'fc1\.bias' has values too large for float16: use bf"):
        drain(export(workbench, large, tmp_path / "net.fw", Packing("float16")))
    assert not list(tmp_path.iterdir())


def test_onnx_with_a_fixed_batch_size_is_refused(
    few: Splits, data_dir: Path, tmp_path: Path
) -> None:
    workbench, weights = own(Frozen, few, data_dir)
    with pytest.raises(InputError, match="cannot take 7 images"):
        drain(export(workbench, weights, tmp_path / "net.onnx", Packing()))
    assert not list(tmp_path.iterdir())


def test_exported_facts_do_not_name_the_image_folder() -> None:
    settings = Settings(model="lenet-300-100", dataset="folder:/home/someone/private")
    assert image_facts(settings, DEFAULT_INPUTS) == {"dataset": "folder"}


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_alone_predicts_what_torch_does_of_a_folder(
    pruned: Weights, tmp_path: Path, capsys: pytest.CaptureFixture[str], channels: int
) -> None:
    root = fill(tmp_path / "pets", 12, spotted if channels == 3 else shade)
    size = {"image_size": 28, "channels": 1} if channels == 3 else {}
    settings = Settings(
        model="lenet-300-100", dataset=f"folder:{root}", precision="fp32", inputs=Inputs(**size)
    )
    workbench = Workbench(settings)
    found = drain(export(workbench, pruned, tmp_path / "net.fw", Packing()))
    assert found.inspection
    facts = found.inspection.file.facts
    assert facts["dataset"] == "folder"
    assert str(tmp_path) not in str(facts)
    assert (facts["images"]["image_size"], facts["images"]["channels"]) == (28, 1)
    model = workbench.models.uninitialized()
    model.load_state_dict(pruned)
    data = drain(workbench.splits())
    image = data.train.images[:1]
    Image.fromarray(image[0, 0].numpy()).save(tmp_path / "one.png")
    with torch.no_grad():
        sure = model.eval()(data.train.batch(slice(0, 1))[0]).softmax(1)[0]
    capsys.readouterr()
    assert main([str(found.path), str(tmp_path / "one.png")]) == 0
    said = capsys.readouterr().out.split(": ")[1]
    assert said == f"{int(sure.argmax())}, {100 * float(sure.max()):.1f} %\n"


def _entries_one_by_one(weights: Weights) -> int:
    """Entries stored with 5-bit distances: nonzeros, and a zero after every 32 zeros."""
    entries = 0
    for name, tensor in weights.items():
        zeros = 0
        for value in tensor.flatten().tolist() if name.endswith("weight") else ():
            zeros = zeros + 1 if value == 0 else 0
            entries += value != 0 or (zeros % 32 == 0 and zeros > 0)
        entries -= zeros // 32 if name.endswith("weight") else 0
    return entries
