"""What a sensitivity scan finds: accuracy against sparsity, with what is not known yet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.events import Event

SPARSITIES = tuple(percent / 100 for percent in range(40, 100, 5))
"""The reference's range for one layer, 0.40 to 0.95."""

UNIFORM_SPARSITIES = (*SPARSITIES, 1.0)
"""The reference's range for all layers at once."""

SPLITS = ("validation", "test")
"""What a scan can measure on; choices look at the first."""

WITHIN = 1.5
"""Points of accuracy on either side: how narrow the intervals of a quick scan are."""

Z = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How many images were right of those looked at.

    Attributes:
        of: how many there are in all, drawn from without replacement; None where that is no
            matter, because it is not these that the accuracy is wanted for.
    """

    correct: int
    images: int
    of: int | None = None

    @property
    def exact(self) -> bool:
        """All of them were looked at."""
        return self.images == self.of

    @property
    def accuracy(self) -> float | None:
        """In percent; None where nothing was measured."""
        return 100.0 * self.correct / self.images if self.images else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy of all of them is, in percent, with 95 % confidence.

        A sample of a finite number knows more than its size says: it counts as n (N - 1) / (N - n)
        images, the finite population correction of the variance (Cochran 1977, equation 2.11).
        """
        if self.exact:
            known = 100.0 * self.correct / max(1, self.images)
            return known, known
        worth = 1.0 if self.of is None else (self.of - 1) / (self.of - self.images)
        low, high = wilson(self.correct * worth, self.images * worth)
        return 100.0 * low, 100.0 * high

    @property
    def estimate(self) -> tuple[float, float]:
        """The interval as its middle, in percent, and half of its width, in points."""
        low, high = self.interval
        return (high + low) / 2, (high - low) / 2


@dataclass(frozen=True, slots=True)
class Point:
    """The accuracy at one sparsity, over the images that it has been measured on.

    Attributes:
        sparsity: a fraction.
        correct: images that were right, of `images`.
        ties: images whose answer hangs on the order of float32 additions, so that another way of
            counting may differ by so many.
    """

    sparsity: float
    correct: int = 0
    images: int = 0
    ties: int = 0

    @property
    def sample(self) -> Sample:
        """The images as a sample of all that there might be."""
        return Sample(self.correct, self.images)

    @property
    def accuracy(self) -> float | None:
        """In percent; None where nothing was measured."""
        return self.sample.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """See `Sample.interval`."""
        return self.sample.interval

    @property
    def estimate(self) -> tuple[float, float]:
        """See `Sample.estimate`."""
        return self.sample.estimate


@dataclass(frozen=True, slots=True)
class Scan:
    """Each layer pruned alone, over a range of sparsities; and all of them alike, if asked for.

    Attributes:
        split: the images that it was measured on.
        images: how many the split has.
        layers: the points of each layer, in the order of the net and of the sparsities asked for.
        uniform: the points of all layers pruned to the same sparsity; empty where not asked for.
        precision: `fp32`, or `bf16` where that answered first; the counts are the same.
        traced: what lies before a layer was computed once; otherwise the net could not be traced,
            and all of it ran for each point.
        stopped: it was stopped early.
    """

    split: str
    images: int
    layers: Mapping[str, tuple[Point, ...]]
    uniform: tuple[Point, ...]
    precision: str
    traced: bool
    stopped: bool

    def points(self) -> Iterator[Point]:
        """All of them."""
        for points in self.layers.values():
            yield from points
        yield from self.uniform

    @property
    def exact(self) -> bool:
        """Every point was measured on every image."""
        return all(point.images == self.images for point in self.points())


@dataclass(frozen=True, slots=True)
class SampleUpdated(Event):
    """An accuracy as far as it is known."""

    sample: Sample


@dataclass(frozen=True, slots=True)
class ScanUpdated(Event):
    """The scan as far as it is: every point on the images so far."""

    scan: Scan


def wilson(correct: float, images: float) -> tuple[float, float]:
    """The 95 % interval of a share from a sample; [0, 1] where there is none.

    Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference": unlike the
    normal approximation it holds near 0 and 1, where accuracies are.
    """
    if not images:
        return 0.0, 1.0
    share, weight = correct / images, Z * Z / images
    center = (share + weight / 2) / (1 + weight)
    spread = Z / (1 + weight) * math.sqrt(share * (1 - share) / images + weight / (4 * images))
    return max(0.0, center - spread), min(1.0, center + spread)
