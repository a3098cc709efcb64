"""Results of a sensitivity scan: accuracy against sparsity, with confidence intervals."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, get_args

from core.errors import InputError
from core.events import Event

SPARSITIES = tuple(percent / 100 for percent in range(40, 100, 5))
"""Default sparsities for one layer, 0.40 to 0.95, those of the reference."""

RECONSTRUCTED_SPARSITIES = (*SPARSITIES, 0.97, 0.98, 0.99)
"""The same for reconstructed layers, most of which still lose next to nothing at 0.95."""

UNIFORM_SPARSITIES = (*SPARSITIES, 1.0)
"""Default sparsities for all layers at once."""

SplitName = Literal["validation", "test"]

SPLITS: tuple[SplitName, ...] = get_args(SplitName)
"""The splits a net is measured on; decisions use the first."""

RepairName = Literal["none", "recalibrate", "reconstruct"]
"""What is done to a pruned layer before it is measured.

A reconstructed one is recalibrated too, unless that is off.
"""

WITHIN = 1.5
"""Half the width of a quick scan's intervals, in points of accuracy."""

Z = 1.96
"""Half the width of a 95 % interval, in standard deviations."""


class Counts:
    """Correct predictions among the `images` measured so far.

    `of` is the size of the population sampled without replacement, None for an unlimited one.
    """

    __slots__ = ()
    correct: int
    images: int
    of: int | None

    @property
    def exact(self) -> bool:
        """Whether every image was measured."""
        return self.images == self.of

    @property
    def accuracy(self) -> float | None:
        """The accuracy in percent; None if nothing was measured."""
        return 100.0 * self.correct / self.images if self.images else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the population's accuracy, in percent.

        With the finite population correction of the variance (Cochran 1977, equation 2.11), n of N
        images count as n (N - 1) / (N - n).
        """
        if self.exact:
            known = 100.0 * self.correct / max(1, self.images)
            return known, known
        worth = 1.0 if self.of is None else (self.of - 1) / (self.of - self.images)
        low, high = wilson(self.correct * worth, self.images * worth)
        return 100.0 * low, 100.0 * high

    @property
    def estimate(self) -> tuple[float, float]:
        """The middle of the interval in percent, and half its width in points."""
        low, high = self.interval
        return (high + low) / 2, (high - low) / 2


@dataclass(frozen=True, slots=True)
class Sample(Counts):
    """The counts on a sample of a split; see `Counts`."""

    correct: int
    images: int
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Point(Counts):
    """The counts at one sparsity, as a sample of an unlimited population; see `Counts`.

    Attributes:
        sparsity: a fraction.
        ties: images whose prediction depends on the order of float32 additions; another correct
            count may differ by this many.
    """

    sparsity: float
    correct: int = 0
    images: int = 0
    ties: int = 0
    of: int | None = field(default=None, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scan:
    """Each layer pruned alone over a range of sparsities and, optionally, all layers together.

    Attributes:
        split: the split it was measured on.
        images: images in that split.
        layers: the points of each layer, in the order of the net and of the sparsities.
        uniform: the points with all layers at the same sparsity; may be empty.
        precision: `fp32` or `bf16`; the counts are the same.
        traced: whether the part of the net before a layer ran only once. False if the net could not
            be traced, so that all of it ran for every point.
        repair: what was done to the pruned layers.
    """

    split: str
    images: int
    layers: Mapping[str, tuple[Point, ...]]
    uniform: tuple[Point, ...]
    precision: str
    traced: bool
    stopped: bool
    repair: RepairName = "none"

    def points(self) -> Iterator[Point]:
        """All points."""
        return chain(*self.layers.values(), self.uniform)

    @property
    def exact(self) -> bool:
        """Whether every point was measured on every image."""
        return all(point.images == self.images for point in self.points())


@dataclass(frozen=True, slots=True)
class SampleUpdated(Event):
    """The accuracy measured so far."""

    sample: Sample


@dataclass(frozen=True, slots=True)
class PointScanned(Event):
    """The scan so far, as soon as one more point is measured; on the first images only."""

    scan: Scan


@dataclass(frozen=True, slots=True)
class ScanUpdated(Event):
    """The scan so far: every point on the images measured so far."""

    scan: Scan


def check_split(name: str) -> None:
    """Raise InputError if `name` is not one of `SPLITS`."""
    if name not in SPLITS:
        raise InputError(f"unknown split '{name}': expected one of {', '.join(SPLITS)}")


def wilson(correct: float, images: float) -> tuple[float, float]:
    """The 95 % interval of a proportion; [0, 1] for an empty sample.

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference". Unlike the
    normal approximation it holds near 0 and 1, where accuracies lie.
    """
    if not images:
        return 0.0, 1.0
    share, weight = correct / images, Z * Z / images
    center = (share + weight / 2) / (1 + weight)
    spread = Z / (1 + weight) * math.sqrt(share * (1 - share) / images + weight / (4 * images))
    return max(0.0, center - spread), min(1.0, center + spread)
