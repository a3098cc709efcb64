"""Predicting with a compact file and NumPy: no torch, and an example for other programs.

    python -m core.codec.predict net.fw digit.png ...

prints a class, and how sure the net is of it, for each image. It knows the zoo's nets for images of
28 x 28 in grey: layers in the order of the file, max pooling after some of them, ReLU after all but
the last.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.codec.compact import CompactFile, Tied, dense
from core.codec.container import decode
from core.datasets.registry import DATASETS
from core.errors import InputError

Floats = NDArray[np.float32]

POOLED: Mapping[str, frozenset[str]] = {
    "cnn5": frozenset({"conv2", "conv3"}),
    "lenet-300-100": frozenset(),
    "lenet-5": frozenset({"conv1", "conv2"}),
}
"""The layers that a max pooling of 2 x 2 follows, of each net that is known here."""

SIDE = 28


def logits(file: CompactFile, images: Floats) -> Floats:
    """The logits of a net, [N, classes], for normalised images [N, 1, 28, 28].

    Raises:
        InputError: it is a net that is not known here.
    """
    if file.model not in POOLED:
        raise InputError(f"'{file.model}' is not known here: expected one of {', '.join(POOLED)}")
    tensors = _tensors(file)
    names = [name.removesuffix(".weight") for name in tensors if name.endswith(".weight")]
    x = images
    for name in names:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        x = _convolved(x, weight, bias) if weight.ndim == 4 else _linear(x, weight, bias)
        if name in POOLED[file.model]:
            n, c, h, w = x.shape
            x = x.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))
        if name != names[-1]:
            x = np.maximum(x, 0)
    return x


def normalised(pixels: NDArray[np.uint8], dataset: str = "mnist") -> Floats:
    """Pixels 0..255, [N, 28, 28], as the nets are given them: [N, 1, 28, 28]."""
    known = DATASETS[dataset]
    scaled = (pixels.astype(np.float32) / 255 - known.mean) / known.std
    return scaled.astype(np.float32)[:, None]


def main(arguments: Sequence[str]) -> int:
    """Print what a net says of images; the exit status."""
    try:
        if len(arguments) < 2:
            raise InputError("expected a compact file and images: net.fw digit.png ...")
        file = decode(Path(arguments[0]).read_bytes())
        pixels = np.stack([_read(Path(path)) for path in arguments[1:]])
        dataset = file.facts.get("dataset", "mnist")
        found = logits(file, normalised(pixels, dataset if dataset in DATASETS else "mnist"))
    except (InputError, OSError) as error:
        print(f"predict: {error}", file=sys.stderr)
        return 2
    likely = np.exp(found - found.max(1, keepdims=True))
    likely /= likely.sum(1, keepdims=True)
    for path, shares in zip(arguments[1:], likely, strict=True):
        print(f"{path}: {shares.argmax()}, {100 * shares.max():.1f} %")
    return 0


def _tensors(file: CompactFile) -> dict[str, Floats]:
    """The tensors of a file in float32."""
    found: dict[str, Floats] = {}
    for entry in file.entries:
        if isinstance(entry.values, Tied):
            found[entry.name] = found[entry.values.to]
            continue
        dtype, words = dense(entry.values)
        # The upper half of a float32 is what NumPy, which has no bfloat16, takes for one.
        wide = words.astype(np.uint32) << 16 if dtype == "bfloat16" else words
        kind = np.float16 if dtype == "float16" else np.float32
        found[entry.name] = wide.view(kind).astype(np.float32).reshape(entry.shape)
    return found


def _convolved(x: Floats, weight: Floats, bias: Floats) -> Floats:
    windows = sliding_window_view(x, weight.shape[2:], (2, 3))
    made = np.tensordot(windows, weight, ([1, 4, 5], [1, 2, 3]))
    return (made + bias).transpose(0, 3, 1, 2)


def _linear(x: Floats, weight: Floats, bias: Floats) -> Floats:
    return x.reshape(len(x), -1) @ weight.T + bias


def _read(path: Path) -> NDArray[np.uint8]:
    """An image in grey, brought to 28 x 28; white on black, as MNIST has it."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise InputError(f"cannot read {path} as an image") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
