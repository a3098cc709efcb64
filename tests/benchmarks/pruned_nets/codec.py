"""The compact file: its size against plain ways, and time and memory for VGG-16.

The net is the shipped cnn5, pruned in one shot to the aggressive preset (36.88x). The plain ways
are zip, xz and zstd of the dense arrays, and a bitmask with the nonzero values. VGG-16 has random
weights at the published sparsities, and is written and read back once.
"""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch
import zstandard

from core.events import drain
from core.formats.codec import decode, encode, from_state, inspect, to_state
from core.formats.export_formats import Packing
from core.formats.weights_files import load_weights
from core.graph.unit_order import sort_units
from core.jobs.export import export
from core.jobs.workbench import Workbench
from core.nets.architectures import Cnn5
from core.nets.layers import prunable_layers
from core.nets.weights import Weights
from core.nets.zoo import model_spec
from core.pruning.masks import Masks
from core.pruning.presets import preset_plan
from core.settings.settings import Settings
from tests.benchmarks.support import vgg16
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.memory import in_fresh_process, peak_of

LEVELS = 5
"""Values per layer; README.md has what they cost in accuracy after fine-tuning."""

FACTS = {"dataset": "mnist", "image_size": 28, "channels": 1, "mean": [0.1307], "std": [0.3081]}


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    measured = {
        "positions_over_entropy": _positions,
        "lossless_over_best_plain": _lossless,
        "quantised_bytes": _quantized,
        "codec_vgg16_s": _seconds,
        "codec_vgg16_memory": _memory,
    }
    return [measured[key]() for key in wanted]


def _positions() -> Figure:
    weights = _pruned()
    entropy = sum(_entropy(weight) for weight in weights.values() if weight.dim() > 1)
    size = _position_bytes(weights)
    return Figure(
        key="positions_over_entropy",
        what="coded positions of cnn5 at 36.88x, over their order-0 entropy",
        value=size / entropy,
        unit="x",
        limit=1.01,
        at_least=False,
        detail={
            "bytes": size,
            "order-0 bytes": entropy,
            "bytes with units in order": _position_bytes(_in_order(weights)),
        },
    )


def _lossless() -> Figure:
    weights = _pruned()
    dense = b"".join(tensor.numpy().tobytes() for tensor in weights.values())
    masked = b"".join(
        np.packbits(tensor.numpy() != 0).tobytes() + tensor[tensor != 0].numpy().tobytes()
        for tensor in weights.values()
    )
    plain = {
        "zip": len(zlib.compress(dense, 9)),
        "xz": len(lzma.compress(dense, preset=9 | lzma.PRESET_EXTREME)),
        "zstd -19": len(zstandard.ZstdCompressor(level=19).compress(dense)),
        "bitmask and values": len(masked),
    }
    ours = len(encode(from_state(weights, "cnn5", FACTS)))
    return Figure(
        key="lossless_over_best_plain",
        what="lossless compact file of cnn5 at 36.88x, over the best of zip, xz, zstd, bitmask",
        value=ours / min(plain.values()),
        unit="x",
        limit=1.0,
        at_least=False,
        detail={"bytes": ours, **{f"{name} bytes": size for name, size in plain.items()}},
    )


def _quantized() -> Figure:
    workbench = Workbench(Settings())
    with TemporaryDirectory() as folder:
        packing = Packing("codebook", levels=LEVELS)
        written = drain(export(workbench, _pruned(), Path(folder) / "net.fw", packing))
    return Figure(
        key="quantised_bytes",
        what=f"cnn5 at 36.88x in a compact file with {LEVELS} values per layer, whole file",
        value=written.bytes / 1000,
        unit=" kB",
        limit=5.7,
        at_least=False,
        detail={"dense over it": 4 * workbench.parameters / written.bytes},
    )


def _seconds() -> Figure:
    encode(from_state(_pruned(), "cnn5"))  # compiles, which happens once per machine
    weights = _pruned_vgg16()
    start = perf_counter()
    data = encode(from_state(weights))
    middle = perf_counter()
    back = to_state(decode(data))
    end = perf_counter()
    assert all(torch.equal(back[name], tensor) for name, tensor in weights.items())
    return Figure(
        key="codec_vgg16_s",
        what="VGG-16 at the published sparsities: write a lossless compact file and read it",
        value=end - start,
        unit=" s",
        limit=120,
        at_least=False,
        detail={"write": middle - start, "read": end - middle, "bytes": len(data)},
    )


def _memory() -> Figure:
    return Figure(
        key="codec_vgg16_memory",
        what="the same: peak memory besides the weights, the weights read back included",
        value=in_fresh_process(__name__, "copies"),
        unit=" copies",
        limit=3,
        at_least=False,
    )


def copies() -> float:
    """Copies of the weights that writing and reading take; run in a process of its own."""
    encode(from_state(_pruned(), "cnn5"))
    weights = _pruned_vgg16()
    size = sum(4 * tensor.numel() for tensor in weights.values())
    return peak_of(lambda: to_state(decode(encode(from_state(weights))))) / size


def _pruned() -> Weights:
    """The shipped cnn5 at the sparsities of the aggressive preset."""
    model = Cnn5()
    layers = prunable_layers(model)
    dense = load_weights(model_spec("cnn5").shipped_weights, model)
    plan = preset_plan("aggressive", "cnn5", [layer.name for layer in layers])
    return Masks.of(dense, layers, plan).apply(dense)


def _in_order(weights: Weights) -> Weights:
    model = Cnn5()
    model.load_state_dict(weights)
    sort_units(model, torch.randn(3, 1, 28, 28))
    return dict(model.state_dict())


def _position_bytes(weights: Weights) -> int:
    return inspect(encode(from_state(weights, "cnn5", FACTS))).parts["positions"]


def _entropy(weight: torch.Tensor) -> float:
    """Order-0 entropy of the positions of the nonzeros, in bytes."""
    share = float((weight != 0).double().mean())
    bits = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    return float(weight.numel() * bits / 8)


def _pruned_vgg16() -> Weights:
    weights = vgg16.weights()
    masks = Masks.of(weights, vgg16.layers(), vgg16.plan())
    for name, weight in masks.apply(weights).items():
        weights[name] = weight
    return weights
