"""Export a net to a file and measure the net read back from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.data.batches import CPU
from core.errors import InputError, StoppedError
from core.events import Accuracy, Notice, Progress, StopFlag, Stream, never, portions, within
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from core.formats.codec import Inspection, encode, inspect, to_state
from core.formats.export_formats import COMPACT, ONNX, SAFETENSORS, Packing, check_target
from core.formats.onnx import OPSET, OnnxNet, check_onnx, to_onnx
from core.formats.weights_files import load_weights, save_weights
from core.graph.dead_units import remove_dead
from core.graph.tracing import UntraceableError, same_logits
from core.graph.unit_order import sort_units
from core.jobs.quantization import quantize, quantize_to, quantize_within_drop
from core.jobs.workbench import Workbench
from core.measure.evaluation import measure
from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.nets.weights import (
    Weights,
    cast_like,
    check_fit,
    copy_weights,
    element_limit,
    load_into,
    state_dict,
)
from core.system.error_text import reason
from core.system.files import write_whole
from core.system.typed_json import to_plain

TOLERANCE = 1e-4
"""Allowed relative difference between another engine's logits and torch's."""


EXPORT_COSTS = (0.5, 0.5)
"""Of an export: writing the file, and measuring the net read back from it."""


@dataclass(frozen=True, eq=False)
class ExportResult:
    """An exported file.

    Attributes:
        accuracy: of the net read back from it.
        inspection: where the bytes of a compact file go; None for other formats.
        levels: number of values the weights of a layer share; None if they share none.
    """

    path: Path
    bytes: int
    accuracy: Accuracy
    inspection: Inspection | None = None
    levels: int | None = None


def export(
    workbench: Workbench, weights: Weights, to: Path, packing: Packing, stop: StopFlag = never
) -> Stream[ExportResult]:
    """Write a net to a file, read it back and measure it.

    The extension of `to` picks the format, see `core.formats.export_formats`; `packing` says how a
    compact file stores values. Unless values are exact, dead units are removed first, and the
    others are put in the order that takes the fewest bytes, see `core.graph.unit_order`.

    Raises:
        InputError: see `check_target`, or the file cannot be written.
        StoppedError: `stop` was raised before the file was written, or before it was measured.
    """
    check_target(to, packing)
    if to.suffix == ONNX:
        check_onnx()
    packing_net, measuring = portions(*EXPORT_COSTS)
    yield from workbench.splits(stop)
    yield packing_net
    levels = None
    if to.suffix == COMPACT:
        try:
            stream = _compact_file(workbench, weights, packing, stop)
            file, levels = yield from within(packing_net, stream)
        except StoppedError as error:
            raise StoppedError("stopped: nothing was written") from error
        yield Progress("writing the compact file")
        data = encode(file)
        write_whole(to, lambda part: part.write_bytes(data))
    elif to.suffix == SAFETENSORS:
        save_weights(to, weights, {"model": workbench.settings.model})
    elif to.suffix == ONNX:
        data = yield from _onnx(workbench, weights)
        write_whole(to, lambda part: part.write_bytes(data))
    else:
        write_whole(to, lambda part: torch.save(dict(weights), part))
    # A stop flag that ended the quantization's training early has done its work.
    stop = never if stop() else stop
    try:
        yield Progress(f"reading {to.name}")
        return (yield from within(measuring, measure_file(workbench, to, levels, stop)))
    except StoppedError as error:
        raise StoppedError(f"stopped: {to} is complete but was not measured") from error


TUNE = 2
"""Epochs to train the shared values of a small file where its accuracy is just too low."""


@dataclass(frozen=True, eq=False)
class SmallFile:
    """The contents of a compact file with as few values as an accuracy allows.

    Attributes:
        levels: number of values the weights of a layer share; None if all are exact.
    """

    data: bytes = field(repr=False)
    levels: int | None
    accuracy: Accuracy

    @property
    def packing(self) -> Packing:
        """How it stores values."""
        return Packing("codebook", levels=self.levels) if self.levels else Packing()


def small_file(
    workbench: Workbench, weights: Weights, least: float, tune: int = TUNE, stop: StopFlag = never
) -> Stream[SmallFile]:
    """The compact file with the fewest values that has at least `least` percent on validation.

    All values are exact if no number of shared ones will do, whatever the accuracy is then. Where
    it is just too low, the shared values are trained for `tune` epochs.
    """
    quantizing, measuring = portions(0.9, 0.1)
    smaller = yield from _minimized(workbench, weights)
    stream = quantize_to(workbench, smaller, least, epochs=tune, stop=stop)
    net = yield from within(quantizing, stream)
    if net.validation >= least:
        levels, smaller = net.size, net.weights
        file = workbench.compact_file(net.weights, "codebook", net.quantized)
    else:
        levels, file = None, workbench.compact_file(smaller, "float32")
    data, precision = yield from workbench.prepared(stop)
    model = workbench.models.for_inference(smaller)
    accuracy = yield from within(measuring, measure(model, data, "file", stop, precision))
    return SmallFile(encode(file), levels, accuracy)


def write_small_file(
    workbench: Workbench, file: SmallFile, to: Path, stop: StopFlag = never
) -> Stream[ExportResult]:
    """Write a file whole, read it back and measure it; raises InputError if it cannot be."""
    yield Progress("writing the compact file")
    write_whole(to, lambda part: part.write_bytes(file.data))
    yield Progress(f"reading {to.name}")
    return (yield from measure_file(workbench, to, file.levels, stop))


def measure_file(
    workbench: Workbench, path: Path, levels: int | None = None, stop: StopFlag = never
) -> Stream[ExportResult]:
    """Read a net from a file and measure it.

    Raises:
        InputError: it cannot be read.
        StoppedError: `stop` was raised.
    """
    data = yield from workbench.splits(stop)
    model, inspection = _read_net(workbench, path)
    precision = "fp32" if path.suffix == ONNX else (yield from workbench.precision(data))
    accuracy = yield from measure(model, data, "file", stop, precision)
    return ExportResult(path, path.stat().st_size, accuracy, inspection, levels)


def _read_net(workbench: Workbench, path: Path) -> tuple[nn.Module, Inspection | None]:
    """The net in a file, and where the bytes of a compact file go."""
    if path.suffix == ONNX:
        return OnnxNet(path.read_bytes(), str(path)), None
    model, inspection = workbench.models.uninitialized(), None
    if path.suffix == COMPACT:
        inspection = inspect_file(path, element_limit(state_dict(model)))
        weights = cast_like(to_state(inspection.file), state_dict(model))
        load_into(model, check_fit(weights, model, path))
    else:
        load_into(model, load_weights(path, model))
    return model, inspection


def inspect_file(path: Path, most: int | None = None) -> Inspection:
    """Where the bytes of a compact file go.

    Raises InputError if it cannot be read, or holds more than `most` values.
    """
    try:
        return inspect(path.read_bytes(), most)
    except (InputError, OSError) as error:
        raise InputError(f"cannot read {path}: {reason(error)}") from error


def record_export(
    result: ExportResult, packing: Packing, experiment: Experiment, run: str | None
) -> Stream[Export]:
    """Record a file with the run whose net it holds, if any; sends a warning if that fails."""
    path, levels, accuracy = str(result.path.resolve()), result.levels, result.accuracy
    record = Export(path, result.bytes, packing.values, levels, accuracy)
    if run is not None:
        try:
            experiment.add_export(experiment.find(run), record)
        except InputError as error:
            text = f"could not record the file with run {run}: {error}"
            yield Notice(text, warning=True, lost=True)
    return record


def inspect_report(inspection: Inspection, accuracy: Accuracy | None) -> dict[str, Any]:
    """What `featherweight inspect --json` writes."""
    return {
        "model": inspection.file.model or None,
        "facts": dict(inspection.file.facts),
        "bytes": inspection.bytes,
        "parts": dict(inspection.parts),
        "layers": [{**asdict(layer), "shape": list(layer.shape)} for layer in inspection.layers],
        "nonzero": inspection.nonzero,
        "accuracy": None if accuracy is None else to_plain(accuracy),
    }


def export_report(result: ExportResult, packing: Packing, before: Accuracy) -> Mapping[str, Any]:
    """What `featherweight export --json` writes."""
    contents = (
        {"bytes": result.bytes, "accuracy": to_plain(result.accuracy)}
        if result.inspection is None
        else inspect_report(result.inspection, result.accuracy)
    )
    drop, validation = packing.max_drop, result.accuracy.validation
    return {
        **contents,
        "file": str(result.path),
        "values": packing.values,
        "levels": result.levels,
        "before": to_plain(before),
        "within": drop is None or validation >= before.validation - drop,
    }


def _compact_file(
    workbench: Workbench, weights: Weights, packing: Packing, stop: StopFlag
) -> Stream[tuple[Any, int | None]]:
    """The contents of the compact file, and the levels of a quantized net."""
    if packing.values != "float32":
        weights = yield from _minimized(workbench, weights)
    if not packing.quantizes:
        return workbench.compact_file(weights, packing.values), None
    kind, epochs = packing.values, packing.epochs
    if packing.levels is not None:
        net = yield from quantize(workbench, weights, packing.levels, kind, epochs, stop)
    else:
        max_drop = packing.max_drop or 0.0
        net = yield from quantize_within_drop(workbench, weights, max_drop, kind, epochs, stop)
    return workbench.compact_file(net.weights, kind, net.quantized), net.size


def _onnx(workbench: Workbench, weights: Weights) -> Stream[bytes]:
    """The net as ONNX for any number of images."""
    data = yield from workbench.splits()
    model = evaluation_mode(workbench.models.for_inference(weights))
    model = model.to(CPU).to(memory_format=torch.contiguous_format)
    two, seven = (data.validation.batch(slice(0, count))[0].to(CPU) for count in (2, 7))
    file = to_onnx(model, two, dynamic_batch=True)
    with torch.no_grad(), NetCall(EVALUATION, seven):
        expected = model(seven.contiguous())
    same = same_logits(OnnxNet(file, "ONNX")(seven), expected, TOLERANCE)
    if not same:
        raise InputError(
            "not written: exported to ONNX, this net gives different logits; use another format"
        )
    yield Notice(f"ONNX opset {OPSET}: onnxruntime gives the same logits as torch")
    return file


def _minimized(workbench: Workbench, weights: Weights) -> Stream[Weights]:
    """The net without dead units and with reordered units, if it can be traced."""
    data = yield from workbench.splits()
    model: nn.Module = workbench.models.uninitialized()
    load_into(model, weights)
    images, _ = data.validation.batch(slice(0, 3))
    try:
        remove_dead(model, images)
        sort_units(model, images)
    except UntraceableError as error:
        yield Notice(f"cannot remove the dead units of this net or reorder its units: {error}")
        return weights
    return copy_weights(model)
