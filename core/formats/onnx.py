"""A net as ONNX, for other engines and programs."""

import warnings
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import ENDING, InputError
from core.nets.calls import describe

OPSET = 17
"""ONNX opset of exported files."""


def to_onnx(net: nn.Module, images: Tensor, dynamic_batch: bool = False) -> bytes:
    """Export a net, on the CPU and in evaluation mode, as ONNX from `images` to `logits`.

    It takes as many images [N, C, H, W] as it is traced with here, or any number if
    `dynamic_batch` is set.

    Raises:
        InputError: the package onnx is missing, or the net cannot be exported.
    """
    axes = {"images": {0: "n"}, "logits": {0: "n"}} if dynamic_batch else None
    with TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        file = Path(folder) / "net.onnx"
        try:
            # dynamo=False selects the tracing exporter; the other one needs another package.
            torch.onnx.export(
                net, (images.contiguous(),), file, opset_version=OPSET, dynamo=False,
                input_names=["images"], output_names=["logits"], dynamic_axes=axes,
            )  # fmt: skip
        except ENDING:
            raise
        except BaseException as error:
            raise InputError(f"this net cannot be exported to ONNX: {describe(error)}") from error
        return file.read_bytes()


class OnnxNet(nn.Module):
    """An ONNX file run by onnxruntime; raises InputError if either cannot be loaded."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__()
        engine = _package("onnxruntime")
        try:
            self._session = engine.InferenceSession(data, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has an exception class for each fault
            raise InputError(f"cannot read {name} as ONNX: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images [N, C, H, W]."""
        inputs = {self._input: images.cpu().contiguous().numpy()}
        try:
            logits = self._session.run(None, inputs)[0]
        except Exception as error:  # as above
            raise InputError(
                f"exported to ONNX, this net cannot take {len(images)} images: its code may have "
                f"made a constant of the batch size it was traced with ({error})"
            ) from error
        return torch.from_numpy(logits).to(images.device)


def check_onnx() -> None:
    """Raise InputError if a package that ONNX needs is missing."""
    for name in ("onnx", "onnxruntime"):
        _package(name)


def _package(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"ONNX needs the package {name}: pip install 'featherweight[engines]'"
        ) from error
