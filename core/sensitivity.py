"""The sensitivity scan: how accuracy falls when one layer alone is pruned (Han et al. 2015, 3.1).

All points advance together, some hundred images at a time: for these the net runs once, and from
the cut before a layer it runs on once for each sparsity. So nothing before a layer is computed
twice, memory holds one batch, and whenever it is stopped every curve is there, on fewer images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from core.batches import Images
from core.curves import SPARSITIES, Point, Scan, Scanned
from core.cuts import CutNet, UncutNet, UntraceableError, Values
from core.errors import InputError
from core.evaluation import count_correct
from core.events import Notice, Progress, StopFlag, Stream, never
from core.layers import Layer, prunable_layers
from core.plans import check_sparsity
from core.predictions import Predictor
from core.pruning import threshold
from core.weights import Weights

UNIFORM = "*"
"""The group of all layers; the name of a module is never this."""

MOST_IMAGES, SAMPLE_STEP = 1000, 250
MOST_BYTES = 512 << 20
"""What the values alive at the cuts may take, so that a large net takes fewer images at a time."""


@dataclass(eq=False)
class _Open:
    """A point that is being measured."""

    sparsity: float
    thresholds: dict[str, float]
    correct: int = 0
    images: int = 0
    predictor: Predictor = field(default_factory=Predictor)

    def seen(self) -> Point:
        return Point(self.sparsity, self.correct, self.images, self.predictor.ties)


def scan(
    model: nn.Module,
    data: Images,
    *,
    split: str,
    sparsities: Sequence[float] = SPARSITIES,
    uniform: Sequence[float] = (),
    within: float | None = None,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[Scan]:
    """Measure `model`, with its weights as they are, with each layer alone pruned to `sparsities`.

    The counts are those of pruning one layer and evaluating everything in float32, whatever the
    precision: `core.predictions` says how.

    When `stop` is raised it ends within one point and gives what there is. `model` holds its own
    weights again afterwards.

    Args:
        model: the net, on the device of `data`.
        data: the images; they are taken in an order drawn from `seed`.
        split: what they are called.
        sparsities: for each layer alone.
        uniform: for all layers at once; none where empty.
        within: points of accuracy; where given, a point is measured on a growing sample until its
            interval is that narrow on either side.
        seed: of the order.
        precision: `fp32`, or `bf16` where that is faster.
        stop: asked before every point.

    Raises:
        InputError: a sparsity is not in [0, 1], or `within` is not above 0.
    """
    if within is not None and not within > 0:
        raise InputError(f"intervals within {within} points: expected a number above 0")
    scanner = _Scanner(model, data, split, sparsities, uniform, precision)
    if scanner.untraceable:
        text = f"the whole net runs for every point: {scanner.untraceable}"
        yield Notice(text, warning=True)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    step = scanner.images_at_once if within is None else min(scanner.images_at_once, SAMPLE_STEP)
    for index in torch.split(order, step):
        yield from scanner.advance(index, within, stop)
        yield Scanned(scanner.result())
        if scanner.stopped or not scanner.open(within):
            break
    yield from scanner.recount(order)
    return scanner.result()


class _Scanner:
    """The points of a scan, and the net that they are measured with."""

    def __init__(
        self,
        model: nn.Module,
        data: Images,
        split: str,
        sparsities: Sequence[float],
        uniform: Sequence[float],
        precision: str,
    ) -> None:
        self.model = model.eval()
        self.data = data
        self.split = split
        self.precision = precision
        self.stopped = False
        layers = prunable_layers(model)
        self.base: Weights = {
            layer.key: model.get_parameter(layer.key).detach().clone() for layer in layers
        }
        self.groups: dict[str, tuple[Layer, ...]] = {layer.name: (layer,) for layer in layers}
        self.points = {layer.name: self._points([layer], sparsities) for layer in layers}
        if uniform:
            self.groups[UNIFORM] = layers
            self.points[UNIFORM] = self._points(layers, uniform)
        self.net, self.untraceable = self._cut()
        self.images_at_once = max(1, min(MOST_IMAGES, MOST_BYTES // (1 + self.net.bytes_per_image)))

    def advance(self, index: Tensor, within: float | None, stop: StopFlag) -> Stream[None]:
        """Measure the points that are open on some more images."""
        images, labels = self.data.batch(index)
        with torch.inference_mode():
            values = self.net.start(images)
        for name in self.groups:
            alive = self.net.alive(name, values)
            try:
                for point in filter(lambda p: self._is_open(p, within), self.points[name]):
                    if stop():
                        self.stopped = True
                        return
                    self._prune(name, point)
                    with torch.inference_mode():
                        answers = self._answers(name, alive, point.predictor)
                        point.correct += int((answers == labels).sum())
                    point.images += len(labels)
                    yield self._progress(within)
            finally:
                self._restore(name)

    def recount(self, order: Tensor) -> Stream[None]:
        """Count again, in float32 all through, where an error reached a margin that was trusted."""
        for name, points in self.points.items():
            for point in points:
                if not point.predictor.sound:
                    self._prune(name, point)
                    some = self.data.some(order[: point.images])
                    point.correct = yield from count_correct(self.model, some, "count again")
                    self._restore(name)

    def open(self, within: float | None) -> bool:
        """Whether any point needs more images."""
        return any(self._is_open(p, within) for points in self.points.values() for p in points)

    def result(self) -> Scan:
        """What there is so far."""
        seen = {name: tuple(p.seen() for p in points) for name, points in self.points.items()}
        return Scan(
            split=self.split,
            images=len(self.data),
            layers={name: points for name, points in seen.items() if name != UNIFORM},
            uniform=seen.get(UNIFORM, ()),
            precision=self.precision,
            traced=not self.untraceable,
            stopped=self.stopped,
        )

    def _answers(self, name: str, alive: Values, predictor: Predictor) -> Tensor:
        """The classes [N] that the net, with its weights as they are now, gives in float32."""

        def logits(index: Tensor | slice) -> Tensor:
            return self.net.finish(name, self.net.rows(name, alive, index))

        return predictor.answers(logits, self.data.device, self.precision)

    def _points(self, layers: Sequence[Layer], sparsities: Sequence[float]) -> list[_Open]:
        def thresholds(sparsity: float) -> dict[str, float]:
            return {la.key: threshold(self.base[la.key], sparsity) for la in layers}

        return [_Open(s, thresholds(check_sparsity(s, "the scan"))) for s in sparsities]

    def _cut(self) -> tuple[CutNet | UncutNet, str]:
        some, _ = self.data.batch(slice(0, 3))
        groups = {name: [layer.key for layer in layers] for name, layers in self.groups.items()}
        try:
            return CutNet(self.model, groups, some), ""
        except UntraceableError as error:
            return UncutNet(self.model, some), str(error)

    def _is_open(self, point: _Open, within: float | None) -> bool:
        if point.images == len(self.data):
            return False
        return within is None or point.seen().estimate[1] > within

    @torch.no_grad()
    def _prune(self, name: str, point: _Open) -> None:
        for layer in self.groups[name]:
            weight = self.base[layer.key]
            gone = weight.abs() <= point.thresholds[layer.key]
            self.model.get_parameter(layer.key).copy_(weight.masked_fill(gone, 0.0))

    @torch.no_grad()
    def _restore(self, name: str) -> None:
        for layer in self.groups[name]:
            self.model.get_parameter(layer.key).copy_(self.base[layer.key])

    def _progress(self, within: float | None) -> Progress:
        points = [point for points in self.points.values() for point in points]
        if within is not None:
            closed = sum(not self._is_open(point, within) for point in points)
            return Progress("scan a growing sample", closed, len(points), "points")
        seen = sum(point.images for point in points)
        return Progress("scan", seen, len(points) * len(self.data), "images")
