"""Dense engines: they compute every weight, zeros included, in float32 on the CPU."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import Tensor, nn

from core.formats.onnx import to_onnx
from core.nets.calls import EVALUATION, NetCall
from core.nets.model_copy import copy_model
from core.system.timing import Alternative


@dataclass
class NetForms:
    """A net, in evaluation mode on the CPU, in the forms engines take."""

    net: nn.Module
    _onnx: dict[torch.Size, bytes] = field(default_factory=dict, init=False)

    def onnx(self, images: Tensor) -> bytes:
        """The net as ONNX for exactly this batch size, exported once.

        Raises:
            ImportError: the package onnx is missing.
            InputError: the net cannot be exported.
        """
        import_module("onnx")
        if images.shape not in self._onnx:
            self._onnx[images.shape] = to_onnx(self.net, images)
        return self._onnx[images.shape]


@dataclass(frozen=True)
class Engine:
    """An inference engine, and the package whose version it has.

    `prepare` takes a net, images and a number of threads, and makes a function that returns logits.
    It raises ImportError if a package is missing, or anything if the engine cannot run the net.
    """

    name: str
    package: str
    prepare: Callable[[NetForms, Tensor, int], Alternative]

    @property
    def version(self) -> str | None:
        """Its package's version; None if it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return None


@torch.inference_mode()
def run(net: nn.Module, images: Tensor) -> Tensor:
    """A net's output for images, without gradients."""
    with NetCall(EVALUATION, images):
        output: Tensor = net(images)
    return output


def _torch(forms: NetForms, images: Tensor, _threads: int) -> Alternative:
    return partial(run, forms.net, images.contiguous())


def _channels_last(forms: NetForms, images: Tensor, _threads: int) -> Alternative:
    net = copy_model(forms.net).model.to(memory_format=torch.channels_last)
    return partial(run, net, images.contiguous(memory_format=torch.channels_last))


def _onnxruntime(forms: NetForms, images: Tensor, threads: int) -> Alternative:
    engine = import_module("onnxruntime")
    options = engine.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    model = forms.onnx(images)
    session = engine.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: images.contiguous().numpy()}
    return lambda: session.run(None, inputs)[0]


def _openvino(forms: NetForms, images: Tensor, threads: int) -> Alternative:
    engine = import_module("openvino")
    # Without a hint it may choose another precision, such as bf16.
    hints = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    options = {**hints, "INFERENCE_NUM_THREADS": threads}
    compiler = engine.Core()
    model = compiler.read_model(io.BytesIO(forms.onnx(images)))
    request = compiler.compile_model(model, "CPU", options).create_infer_request()
    inputs = [images.contiguous().numpy()]
    return lambda: request.infer(inputs, share_inputs=True, share_outputs=True)[0]


DENSE_ENGINES = (
    Engine("torch", "torch", _torch),
    Engine("torch channels_last", "torch", _channels_last),
    Engine("onnxruntime", "onnxruntime", _onnxruntime),
    Engine("openvino", "openvino", _openvino),
)
