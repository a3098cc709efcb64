"""Predicting with NumPy: the same as torch, and without torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.batches import Splits
from core.codec import encode, from_state, raw
from core.codec.container import decode
from core.codec.predict import POOLED, logits, main
from core.weights import load_weights
from core.zoo import model_spec


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", POOLED)
def test_numpy_says_what_torch_says(name: str, dtype: torch.dtype, few: Splits) -> None:
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
    assert (ours.argmax(1) == labels.numpy()).mean() > 0.97


def test_the_command_needs_no_torch(tmp_path: Path, few: Splits) -> None:
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
        "import sys; from core.codec.predict import main; status = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    command = [sys.executable, "-c", code, str(file), *map(str, digits)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    labels = few.test.labels[:3].tolist()
    assert [line.split()[1].strip(",") for line in said] == [str(label) for label in labels]


def test_what_cannot_be_predicted_is_said(tmp_path: Path, capsys) -> None:
    state = {"weight": torch.ones(2, 2)}
    own = tmp_path / "own.fw"
    own.write_bytes(encode(from_state(state)))
    image = tmp_path / "digit.png"
    Image.new("L", (28, 28)).save(image)
    for arguments, message in (
        ([str(own)], "expected a compact file and images"),
        ([str(own), str(image)], "'' is not known here: expected one of cnn5"),
        ([str(own), str(own)], "cannot read .*own.fw as an image"),
        ([str(image), str(image)], "not a compact file"),
        ([str(tmp_path / "none.fw"), str(image)], "No such file"),
    ):
        assert main(arguments) == 2
        assert re.search(message, capsys.readouterr().err)
