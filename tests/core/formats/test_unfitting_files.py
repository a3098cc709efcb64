"""Files that hold no weights of the net say what they are, and how to save what is needed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import InputError
from core.formats.weights_files import read_weights
from tests.core.formats.checkpoints import (
    STATE,
    Plain,
    State,
    archive,
    legacy,
    net,
    prefixed,
    read,
    same,
)

MISFITS: dict[str, tuple[object, str]] = {
    "another net": (
        {"features.0.weight": torch.ones(3), "features.0.bias": torch.ones(3)},
        r"11 of 11 names are missing \('conv.weight', 'conv.bias', 'bn.weight', ...\); "
        r"2 of 2 names are surplus \('features.0.weight', 'features.0.bias'\)",
    ),
    "one less": ({n: t for n, t in STATE.items() if n != "fc2.bias"}, "'fc2.bias' is missing$"),
    "one more": ({**STATE, "fc3.bias": torch.ones(3)}, "Plain: 'fc3.bias' is surplus$"),
    "one less under a prefix": (
        {"net": {n: t for n, t in prefixed("module.").items() if n != "module.fc2.bias"}},
        "10 of 11 names match under the prefix 'net.module'; 'fc2.bias' is missing$",
    ),
    "other shapes": (
        {**STATE, "fc2.weight": torch.ones(9, 20), "fc2.bias": torch.ones(9)},
        r"'fc2.weight' has shape \(9, 20\), expected \(10, 20\); "
        r"'fc2.bias' has shape \(9,\), expected \(10,\)$",
    ),
    "both": (
        {**{n: t for n, t in STATE.items() if n != "fc2.bias"}, "fc2.b": torch.ones(10)},
        "'fc2.bias' is missing; 'fc2.b' is surplus$",
    ),
    "nothing": ({"epoch": 3, "args": argparse.Namespace()}, "holds no tensors"),
    "not a number": ({**STATE, "fc2.bias": torch.full((10,), torch.nan)}, "not finite"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_shows_both_sides(name: str, tmp_path: Path) -> None:
    content, message = MISFITS[name]
    with pytest.raises(InputError, match=message):
        read(content, tmp_path / "net.pt")


def saved_by(message: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """Run the two lines of Python that a message gives, and read the file they write."""
    monkeypatch.chdir(folder)
    lines = message.partition("in Python: ")[2]
    assert lines.count("; ") == 1
    exec(lines, {"torch": torch, "numpy": np, "onnx": __import__("onnx")})
    return torch.load(folder / "weights.pt", weights_only=True)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as refusal:
        read_weights(path, Plain())
    return str(refusal.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [archive, legacy])
@pytest.mark.parametrize("content", [net(), {"epoch": 3, "model": net()}], ids=["alone", "inside"])
def test_a_whole_model_is_told_how_to_save_its_weights(
    content: object,
    write: Callable[[object], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (path := tmp_path / "whole.pt").write_bytes(write(content))
    message = refused(path)
    assert f"whole pickled model ({Plain.__module__}.Plain)" in message
    assert same(saved_by(message, tmp_path, monkeypatch), STATE)


def test_weights_beside_a_whole_model_are_taken(tmp_path: Path) -> None:
    assert same(read({"net": net(1), "state": STATE}, tmp_path / "net.pt")[0], STATE)


def scripted(path: Path) -> None:
    torch.jit.save(torch.jit.trace(net(), torch.zeros(2, 1, 16, 16)), path)


def exported(path: Path) -> None:
    torch.export.save(torch.export.export(net(), (torch.zeros(2, 1, 16, 16),)), path)


def as_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, **{name: tensor.numpy() for name, tensor in STATE.items()})


def as_onnx(path: Path) -> None:
    model, images = net(), (torch.zeros(2, 1, 16, 16),)
    model.bn = nn.Identity()  # the exporter folds a BatchNorm into the convolution
    with path.open("wb") as file:
        torch.onnx.export(model, images, file, dynamo=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("write", "what"),
    [
        (scripted, "a TorchScript program"),
        (exported, "a program of torch.export"),
        (as_arrays, "an archive of NumPy arrays"),
        (as_onnx, "an ONNX file"),
    ],
)
def test_other_files_say_what_they_are_and_how_to_save_their_weights(
    write: Callable[[Path], None], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path := tmp_path / "net.pt")
    message = refused(path)
    assert message.startswith(f"{path} is {what}: ")
    weights = saved_by(message, tmp_path, monkeypatch)
    assert {"conv.weight", "conv.bias", "fc1.weight", "fc2.bias"} <= weights.keys()
    assert all(torch.equal(tensor, STATE[name]) for name, tensor in weights.items())
