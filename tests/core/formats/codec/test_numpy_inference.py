"""Predictions with NumPy equal torch's, without loading torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.batches import Splits
from core.data.folders.pixels import Shape
from core.data.inputs import Inputs
from core.errors import InputError
from core.formats.codec import encode, from_state, raw
from core.formats.codec.compact import CompactFile, Entry, Steps
from core.formats.codec.container import decode
from core.formats.codec.numpy_inference import NETS, images_of, logits, main
from core.formats.codec.zoo_shapes import LAYOUTS
from core.formats.weights_files import load_weights
from core.nets.zoo import ZOO, model_spec

SHIPPED = [spec.name for spec in ZOO.values() if not spec.is_from_torchvision]


def test_every_zoo_net_is_supported() -> None:
    assert NETS.keys() == ZOO.keys()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", SHIPPED)
def test_logits_match_torch(name: str, dtype: torch.dtype, few: Splits) -> None:
    spec = model_spec(name)
    model = spec.build().eval()
    model.load_state_dict(load_weights(spec.shipped_weights, model))
    state = {key: tensor.to(dtype) for key, tensor in model.state_dict().items()}
    file = decode(encode(from_state(state, name, keep=lambda _name, tensor: raw(tensor))))
    model.load_state_dict(state)
    images, labels = few.test.batch(slice(0, 200))
    with torch.no_grad():
        theirs = model(images).numpy()
    ours = logits(file, images.contiguous().numpy())
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert (ours.argmax(1) == theirs.argmax(1)).all()
    assert (ours.argmax(1) == labels.numpy()).mean() > 0.85


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [("alexnet", 224), ("alexnet", 96), ("vgg16", 48)])
def test_logits_match_torchvision_nets(name: str, side: int) -> None:
    model = model_spec(name).build().eval()
    file = from_state(model.state_dict(), name, keep=lambda _name, tensor: raw(tensor))
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        theirs = model(images).numpy()
    assert np.allclose(logits(file, images.numpy()), theirs, rtol=0, atol=1e-4 * abs(theirs).max())


def test_images_follow_from_the_facts_and_the_model() -> None:
    def file_with(model: str, facts: dict[str, object]) -> CompactFile:
        shapes = next(layout.shapes for layout in LAYOUTS if layout.model == model)
        nothing = Steps(1.0, np.zeros(0, np.int32))
        return CompactFile(model, tuple(Entry(*entry, nothing) for entry in shapes), facts)

    shape, mean, std = images_of(file_with("cnn5", {}))
    assert (shape, mean.item(), std.item()) == (
        Shape(1, 28, 28),
        pytest.approx(0.1307),
        pytest.approx(0.3081),
    )
    _, mean, _ = images_of(file_with("lenet-5", {"dataset": "fashion-mnist"}))
    assert mean.item() == pytest.approx(0.286)
    shape, mean, _ = images_of(file_with("vgg16", {}))
    assert (shape, mean.shape, mean[0].item()) == (
        Shape(3, 224, 224),
        (3, 1, 1),
        pytest.approx(0.485),
    )
    settings = Inputs(image_size=64, channels=3, mean=(0.5,), std=(0.25,)).explicit_values()
    shape, mean, std = images_of(file_with("alexnet", {"dataset": "folder", "images": settings}))
    assert (shape, mean.item(), std.item()) == (Shape(3, 64, 64), 0.5, 0.25)
    for facts, message in (
        ({"dataset": "folder"}, "does not specify which images"),
        ({"dataset": ["mnist"]}, "does not specify which images"),
        ({"inputs": {"image_size": 8}}, "8-pixel images: expected 28"),
        ({"inputs": {"image_size": "8"}}, "expected a whole number"),
        ({"images": "all"}, "unknown image settings"),
    ):
        with pytest.raises(InputError, match=message):
            images_of(file_with("cnn5", facts))
    with pytest.raises(InputError, match="4096-pixel images: expected at most 512"):
        images_of(file_with("vgg16", {"inputs": {"image_size": 4096}}))


def test_tensors_and_images_that_do_not_fit_the_net_are_refused() -> None:
    file = decode(encode(from_state({"fc1.weight": torch.ones(2, 2)}, "lenet-300-100")))
    with pytest.raises(InputError, match="lenet-300-100"):
        logits(file, np.zeros((1, 1, 28, 28), np.float32))
    state = model_spec("lenet-300-100").build().state_dict()
    whole = {name: tensor.long() for name, tensor in state.items()}
    file = from_state(whole, "lenet-300-100", keep=lambda _name, tensor: raw(tensor))
    with pytest.raises(InputError, match=r"'fc1\.weight' is int64"):
        logits(file, np.zeros((1, 1, 28, 28), np.float32))
    file = from_state(state, "lenet-300-100", keep=lambda _name, tensor: raw(tensor))
    with pytest.raises(InputError, match="64 values, expected 784"):
        logits(file, np.zeros((1, 1, 8, 8), np.float32))


@pytest.mark.slow
def test_the_command_predicts_without_torch(tmp_path: Path, few: Splits) -> None:
    spec = model_spec("lenet-300-100")
    state = load_weights(spec.shipped_weights, spec.build())
    file = tmp_path / "net.fw"
    file.write_bytes(encode(from_state(state, "lenet-300-100")))
    digits = []
    for place in range(3):
        pixels = few.test.images[place].reshape(28, 28).numpy()
        digits.append(tmp_path / f"{place}.png")
        Image.fromarray(pixels).save(digits[-1])
    code = (
        "import sys; from core.formats.codec.numpy_inference import main; "
        "status = main(sys.argv[1:]); assert 'torch' not in sys.modules; sys.exit(status)"
    )
    command = [sys.executable, "-c", code, str(file), *map(str, digits)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    labels = few.test.labels[:3].tolist()
    assert [line.split()[1].strip(",") for line in lines] == [str(label) for label in labels]


def test_the_command_names_the_fault_and_exits_with_2(tmp_path: Path, capsys) -> None:
    state = {"weight": torch.ones(2, 2)}
    own = tmp_path / "own.fw"
    own.write_bytes(encode(from_state(state)))
    known = tmp_path / "known.fw"
    known.write_bytes(encode(from_state(model_spec("cnn5").build().state_dict(), "cnn5")))
    image = tmp_path / "digit.png"
    Image.new("L", (28, 28)).save(image)
    for arguments, message in (
        ([str(own)], "expected a compact file and images"),
        ([str(own), str(image)], "'': expected one of cnn5"),
        ([str(known), str(own)], "cannot read .*own.fw as an image"),
        ([str(known), str(tmp_path / "none.png")], "No such file"),
        ([str(image), str(image)], "not a compact file"),
        ([str(tmp_path / "none.fw"), str(image)], "No such file"),
    ):
        assert main(arguments) == 2
        assert re.search(message, capsys.readouterr().err)
