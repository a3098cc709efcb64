"""A net as ONNX, for other engines and programs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from core.errors import InputError

OPSET = 17
"""Of what is written."""


def to_onnx(net: nn.Module, images: Tensor, any_number: bool = False) -> bytes:
    """A net in evaluation as ONNX; its input is `images`, its output `logits`.

    Args:
        net: the net, on the processor.
        images: those that it is traced with, [N, C, H, W].
        any_number: of images may be given to it, and not only N.

    Raises:
        InputError: the package onnx is not there, or the net cannot be written so.
    """
    given = (images.contiguous(),)
    free = {"images": {0: "n"}, "logits": {0: "n"}} if any_number else None
    with TemporaryDirectory() as folder, _quiet():
        file = Path(folder) / "net.onnx"
        try:
            # The exporter that traces: the other one needs a package more.
            torch.onnx.export(
                net,
                given,
                file,
                opset_version=OPSET,
                dynamo=False,
                input_names=["images"],
                output_names=["logits"],
                dynamic_axes=free,
            )
        except ModuleNotFoundError as error:
            raise InputError(
                f"ONNX needs the package {error.name}: pip install 'featherweight[engines]'"
            ) from error
        except Exception as error:  # a net's own code runs here: it may raise anything
            raise InputError(f"this net cannot be written as ONNX: {error}") from error
        return file.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of itself."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(before)


class OnnxNet(nn.Module):
    """A net in a file, run by onnxruntime.

    Raises:
        InputError: the file cannot be read, or onnxruntime is not there.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError(
                "an ONNX file is measured by onnxruntime: pip install 'featherweight[engines]'"
            ) from error
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has classes of its own for each fault
            raise InputError(f"cannot read {path} as ONNX: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images [N, C, H, W]."""
        given = {self._input: images.cpu().contiguous().numpy()}
        return torch.from_numpy(self._session.run(None, given)[0]).to(images.device)
