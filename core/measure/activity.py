"""What each layer of a net does for an image: multiplications, and how many activations are zero.

The net only has to run. A net that would take long is measured on a random sample of the images,
which gives its activations an interval.
"""

import math
from collections.abc import Sequence
from time import thread_time
from typing import Literal

import torch
from torch import Tensor, nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.measure.costs import Activity, NetActivity
from core.measure.evaluation import batch_size_for, batches
from core.measure.layer_counts import LayerCount
from core.measure.value_flow import NetCount
from core.nets.calls import evaluation_mode
from core.nets.layers import prunable_layers
from core.pruning.curves import Z

ImageNumber = int | Literal["all"] | None
"""How many images to measure; None: all, or as many as a time allows."""

SECONDS = 40.0
"""Time in which all images are measured, if that is enough; a sample takes half of it."""

_TRIED = 50
"""Most images that the time per image is measured on."""

_TRIES = 5
"""Most runs for the time per image, the fastest of which counts: the first prepares kernels."""

_TRYING = 2.0
"""Seconds after which no further try starts."""

_LEAST = 5
"""Images in the smallest sample."""

_PARTS = 20
"""Batches of a sample; its interval comes from how much they differ."""


def measure_activity(
    model: nn.Module,
    data: Images,
    stop: StopFlag = never,
    *,
    images: ImageNumber = None,
    seconds: float = SECONDS,
    seed: int = 0,
) -> Stream[NetActivity]:
    """Run images of `data` through `model` and count, layer by layer.

    Layers that the net does not run are left out. A sample is drawn from `seed`; if `images` is
    None, `seconds` decides, see `SECONDS`. Raises StoppedError if `stop` is raised.
    """
    evaluation_mode(model)
    if images is None:
        images = yield from _affordable(model, data, seconds, stop)
    number = len(data) if images == "all" else min(images, len(data))
    count, parts = _counter(model), _parts(data, number, seed)
    done = 0
    for part in parts:
        yield from _progress(done, number, stop)
        batch, _ = data.batch(part)
        count.run(model, batch)
        done += len(batch)
    yield from _progress(done, number)
    return _activity(count, number, len(data))


def _affordable(model: nn.Module, data: Images, seconds: float, stop: StopFlag) -> Stream[int]:
    """All images if `seconds` are enough, or what half of them allow, to one significant digit."""
    few, _ = data.batch(slice(0, batch_size_for(data, _TRIED)))
    times: list[float] = []
    # The thread's own time: what else the machine does must not change what is measured.
    while len(times) < _TRIES and sum(times) < _TRYING:
        yield from _progress(0, len(data), stop)
        start = thread_time()
        _counter(model).run(model, few.clone())
        times.append(thread_time() - start)
        if min(times) * len(data) <= seconds * len(few):
            return len(data)
    number = int(seconds / 2 * len(few) / min(times))
    unit: int = 10 ** (len(str(number)) - 1)
    return max(_LEAST, number // unit * unit)


def _parts(data: Images, number: int, seed: int) -> Sequence[slice] | Sequence[Tensor]:
    """The batches of all images in order, or of a random sample."""
    if number == len(data):
        return batches(data)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return torch.split(order[:number], batch_size_for(data, max(1, number // _PARTS)))


def _counter(model: nn.Module) -> NetCount:
    return NetCount(
        {
            id(model.get_parameter(layer.key)): LayerCount(layer.name, layer.elements)
            for layer in prunable_layers(model)
        }
    )


def _activity(count: NetCount, images: int, of: int) -> NetActivity:
    """Averages per image, and fractions."""
    ran = [layer for layer in count.layers.values() if layer.inputs]
    missed = 1 - images / of
    return NetActivity(
        layers={layer.name: _layer_activity(layer, images, missed) for layer in ran},
        images=images,
        of=of,
        unprunable=count.unprunable / images,
        uncounted=tuple(count.uncounted),
        within=_half_width(
            [sum(units) for units in zip(*(layer.units for layer in ran), strict=True)],
            [sum(units) for units in zip(*(layer.nonzero_units for layer in ran), strict=True)],
            missed,
        ),
    )


def _layer_activity(layer: LayerCount, images: int, missed: float) -> Activity:
    units, nonzero = sum(layer.units), sum(layer.nonzero_units)
    return Activity(
        macs=layer.macs / images,
        units=units / images,
        act=nonzero / units if units else 0.0,
        input=layer.nonzero_inputs / layer.inputs,
        within=_half_width(layer.units, layer.nonzero_units, missed),
    )


def _half_width(units: Sequence[int], nonzero: Sequence[int], missed: float) -> float | None:
    """Half the width of the 95 % interval of the nonzero fraction, from its values per batch.

    The batches of a random sample are random samples themselves, so the variance is that of a ratio
    of two totals (Cochran 1977, equation 6.13). `missed` is the fraction of images not measured.
    """
    number, whole = len(units), sum(units)
    if not missed:
        return None
    if number < 2 or not whole:
        return 1.0
    share = sum(nonzero) / whole
    squares = sum((part - share * of) ** 2 for part, of in zip(nonzero, units, strict=True))
    deviation = math.sqrt(missed * squares * number / (number - 1)) / whole
    return _student(number - 1) * deviation


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, to 1 % from 3 degrees of freedom.

    Abramowitz and Stegun (1964), 26.7.5.
    """
    z = Z
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _progress(done: int, number: int, stop: StopFlag = never) -> Stream[None]:
    if stop():
        raise StoppedError("stopped: nothing was measured")
    yield Progress("measuring activations", done, number, "images")
