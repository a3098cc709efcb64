"""A reconstructed net that is recalibrated and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from torch import nn

from core.data.batches import Splits
from core.events import Accuracy, StopFlag, Stream, never, portions, within
from core.measure.evaluation import images_to_measure, measure
from core.measure.recalibration import SAMPLE_SEED
from core.nets.footprint import DeadUnits
from core.nets.weights import Weights, load_into
from core.pruning.masks import Masks
from core.reconstruction.sequence import reconstruct
from core.reconstruction.tasks import LayerReconstructed

_RECONSTRUCTION = 200_000
"""How many images could be measured while a net is reconstructed, about."""


@dataclass(frozen=True, eq=False)
class ReconstructedNet:
    """A base pruned to a plan layer by layer and measured; see `core.reconstruction`.

    Attributes:
        masks: of `weights`; fine-tuning that starts from them holds these.
        layers: with their output errors, in the order in which they were reconstructed.
        images, seed: the sample of training images that it was made with.
        stopped: whether it was stopped early; the layers left are pruned by magnitude.
        dead: None if not counted.
    """

    weights: Weights = field(repr=False)
    masks: Masks = field(repr=False)
    accuracy: Accuracy
    layers: tuple[LayerReconstructed, ...]
    images: int
    seed: int
    stopped: bool
    seconds: float
    dead: DeadUnits | None = None


def reconstruct_and_measure(
    model: nn.Module,
    dense: nn.Module,
    base: Weights,
    plan: Mapping[str, float],
    data: Splits,
    stop: StopFlag = never,
    precision: str = "fp32",
    recalibrates: bool = True,
) -> Stream[ReconstructedNet]:
    """Reconstruct `base`, pruned to `plan`, and measure it; `model` ends up holding it.

    `dense` is another model like `model`; what weights either has does not matter. The
    sample is the same whatever a run's seed is. A raised stop flag keeps the layers done; the net
    is then measured nevertheless. See `core.reconstruction.sequence`.
    """
    began = perf_counter()
    load_into(model, base)
    load_into(dense, base)
    solving, measuring = portions(_RECONSTRUCTION, images_to_measure(data))
    stream = reconstruct(
        model, dense, plan, data.train, seed=SAMPLE_SEED, recalibrates=recalibrates, stop=stop
    )
    done = yield from within(solving, stream)
    measured = measure(model, data, "reconstructed", precision=precision)
    accuracy = yield from within(measuring, measured)
    return ReconstructedNet(
        weights=done.weights,
        masks=done.masks.to("cpu"),
        accuracy=accuracy,
        layers=done.layers,
        images=done.images,
        seed=done.seed,
        stopped=done.stopped,
        seconds=perf_counter() - began,
    )
