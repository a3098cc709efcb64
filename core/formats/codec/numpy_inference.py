"""Predictions with a compact file and NumPy: no torch, and an example for other programs.

    python -m core.formats.codec.numpy_inference net.fw image.png ...

prints a class and its probability for each image. It knows the zoo's nets: layers in file order,
a ReLU after each but the last, and the extras in `NETS`.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.data.folders.pixels import Shape, read_image
from core.data.inputs import Inputs
from core.data.registry import DATASETS
from core.errors import InputError
from core.formats.codec.codebook_coding import floats
from core.formats.codec.compact import CODEBOOK_DTYPES, CompactFile, Tied, dense
from core.formats.codec.container import decode
from core.formats.codec.zoo_shapes import layout_number
from core.nets.zoo import ZOO

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ConvOptions:
    """A convolution's stride and zero padding, and window and stride of the pooling after it."""

    stride: int = 1
    padding: int = 0
    pool: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class NetOptions:
    """Options of convolutions, by name, and the side their last output is average-pooled to."""

    convolutions: Mapping[str, ConvOptions] = field(default_factory=dict)
    pooled_side: int | None = None


SIDE, LARGEST = 28, 512
"""The side of MNIST's images, and the largest side supported here."""

_HALVED, _SAME = ConvOptions(pool=(2, 2)), ConvOptions(padding=1)

NETS: Mapping[str, NetOptions] = {
    "cnn5": NetOptions({"conv2": _HALVED, "conv3": _HALVED}),
    "lenet-300-100": NetOptions(),
    "lenet-5": NetOptions({"conv1": _HALVED, "conv2": _HALVED}),
    "alexnet": NetOptions({
        "features.0": ConvOptions(4, 2, (3, 2)), "features.3": ConvOptions(1, 2, (3, 2)),
        "features.6": _SAME, "features.8": _SAME, "features.10": ConvOptions(1, 1, (3, 2)),
    }, pooled_side=6),
    "vgg16": NetOptions(
        {f"features.{place}": _SAME for place in (0, 5, 10, 12, 17, 19, 24, 26)}
        | {f"features.{place}": ConvOptions(1, 1, (2, 2)) for place in (2, 7, 14, 21, 28)},
        pooled_side=7,
    ),
}  # fmt: skip


def logits(file: CompactFile, images: Floats) -> Floats:
    """The logits [N, classes] of a net for normalized images [N, C, H, W].

    Raises InputError if the net is unknown here, or takes other images.
    """
    net, tensors = _net(file), _tensors(file)
    # One image at a time: a convolution copies all its windows.
    return np.concatenate([_logits(net, tensors, image[None]) for image in images])


def images_of(file: CompactFile) -> tuple[Shape, Floats, Floats]:
    """The images a file's net takes: shape, mean and std [1 or C, 1, 1] of pixels in 0..1.

    Raises InputError if neither the file nor its model specifies them.
    """
    net, facts = _net(file), file.facts
    inputs = Inputs.of(facts.get("images") or facts.get("inputs") or {})
    inputs = inputs.over(ZOO[file.model].inputs)
    name = facts.get("dataset", "mnist")
    if isinstance(name, str) and name in DATASETS:
        inputs = inputs.over(DATASETS[name].inputs)
    if not (inputs.image_size and inputs.channels and inputs.mean and inputs.std):
        raise InputError("the file does not specify which images its net takes")
    if inputs.image_size > LARGEST or (net.pooled_side is None and inputs.image_size != SIDE):
        expected = SIDE if net.pooled_side is None else f"at most {LARGEST}"
        raise InputError(f"the file is for {inputs.image_size}-pixel images: expected {expected}")
    mean, std = (np.array(each, np.float32).reshape(-1, 1, 1) for each in (inputs.mean, inputs.std))
    return Shape(inputs.channels, inputs.image_size, inputs.image_size), mean, std


def main(arguments: Sequence[str]) -> int:
    """Print predictions for images; returns the exit status."""
    try:
        if len(arguments) < 2:
            raise InputError("expected a compact file and images: net.fw image.png ...")
        file = decode(Path(arguments[0]).read_bytes())
        shape, mean, std = images_of(file)
        pixels = np.stack([_read(Path(path), shape) for path in arguments[1:]])
        outputs = logits(file, ((pixels / 255 - mean) / std).astype(np.float32))
    except (InputError, OSError) as error:
        print(f"predict: {error}", file=sys.stderr)
        return 2
    for path, output in zip(arguments[1:], outputs, strict=True):
        odds = np.exp(output - output.max())
        print(f"{path}: {odds.argmax()}, {100 / odds.sum():.1f} %")
    return 0


def _net(file: CompactFile) -> NetOptions:
    if file.model not in NETS:
        raise InputError(f"unknown model '{file.model}': expected one of {', '.join(NETS)}")
    if not layout_number(file.model, tuple((entry.name, entry.shape) for entry in file.entries)):
        raise InputError(f"the tensors in the file do not match {file.model}")
    return NETS[file.model]


def _logits(net: NetOptions, tensors: Mapping[str, Floats], x: Floats) -> Floats:
    names = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    for name in names:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        if weight.ndim == 4:
            x = _convolved(x, weight, bias, net.convolutions.get(name, ConvOptions()))
        else:
            if x.ndim == 4 and net.pooled_side is not None:
                x = _average_pooled(x, net.pooled_side)
            x = x.reshape(len(x), -1)
            if x.shape[1] != weight.shape[1]:
                raise InputError(f"images of {x.shape[1]} values, expected {weight.shape[1]}")
            x = x @ weight.T + bias
        if name != names[-1]:
            x = np.maximum(x, 0)
    return x


def _tensors(file: CompactFile) -> dict[str, Floats]:
    tensors: dict[str, Floats] = {}
    for entry in file.entries:
        if isinstance(entry.values, Tied):
            tensors[entry.name] = tensors[entry.values.to]
            continue
        dtype, words = dense(entry.values)
        if dtype not in CODEBOOK_DTYPES:
            raise InputError(f"'{entry.name}' is {dtype}, which no known model uses")
        tensors[entry.name] = floats(words, dtype).reshape(entry.shape)
    return tensors


def _convolved(x: Floats, weight: Floats, bias: Floats, options: ConvOptions) -> Floats:
    """A convolution and its pooling; the ReLU commutes with max pooling, so it can follow both."""
    if x.shape[1] != weight.shape[1]:
        raise InputError(f"images of {x.shape[1]} channels, expected {weight.shape[1]}")
    if options.padding:
        x = np.pad(x, ((0, 0), (0, 0), *((options.padding,) * 2,) * 2))
    windows = _windows(x, weight.shape[2:], options.stride)
    x = (np.tensordot(windows, weight, ([1, 4, 5], [1, 2, 3])) + bias).transpose(0, 3, 1, 2)
    if options.pool:
        side, stride = options.pool
        x = _windows(x, (side, side), stride).max((4, 5))
    return x


def _windows(x: Floats, sides: Sequence[int], stride: int) -> Floats:
    """The window of each output, [N, C, rows, columns, height, width]."""
    return sliding_window_view(x, tuple(sides), (2, 3))[:, :, ::stride, ::stride]


def _average_pooled(x: Floats, side: int) -> Floats:
    """Adaptive average pooling to `side` x `side`."""
    for axis in (2, 3):
        ends = np.arange(side + 1) * x.shape[axis]
        spans = zip(ends[:-1] // side, -(-ends[1:] // side), strict=True)
        x = np.stack([x.take(range(*span), axis).mean(axis) for span in spans], axis)
    return x


def _read(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """An image in the net's shape; digits are white on black, as in MNIST."""
    image = read_image(path, shape)
    if isinstance(image, str):
        path.stat()  # raises an error that names a missing file
        raise InputError(f"cannot read {path} as an image")
    return image[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
