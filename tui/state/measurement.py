"""Requests for background measurements, and their results: immutable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from core.pruning.plans import Plan
from core.settings.settings import DEFAULTS, Settings
from tui.state.results import ResultKey, shot_of

if TYPE_CHECKING:
    from core.jobs.net import Net
    from core.measure.comparison import NetComparison
    from core.measure.costs import ActivityMeasured
    from core.pruning.curves import Sample

Need = Literal["images", "matrix", "costs"]
"""What a plot needs: predictions of some test images, of all, or each layer's activations."""


@dataclass(frozen=True, slots=True)
class ImageSelection:
    """The selected test images, see `core.measure.comparison`.

    Attributes:
        mode: one image per class, or those only the pruned net gets wrong.
        start: the page, from 0.
    """

    mode: Literal["chosen", "wrong"] = "chosen"
    start: int = 0

    def toggled(self) -> ImageSelection:
        """The other mode, from its beginning."""
        return ImageSelection("wrong" if self.mode == "chosen" else "chosen")

    def next_page(self) -> ImageSelection:
        """The next images."""
        return replace(self, start=self.start + 1)


@dataclass(frozen=True)
class MeasurementRequest:
    """What to measure in the background.

    Attributes:
        net: made for this base and plan, measured instead of the plan applied to the base.
        net_name: of the net compared with the dense one, see `Result.stage`.
        settings: whose criterion decides which weights go.
        accuracy: measure accuracy on a growing sample of validation images.
        images: the test images to predict; None for none.
        matrix: predict every test image.
        costs: count each layer's activations.
    """

    dense: Net
    base: Net
    plan: Plan
    net: Net | None
    accuracy: bool
    images: ImageSelection | None
    matrix: bool
    costs: bool = False
    net_name: str = "pruned"
    settings: Settings = DEFAULTS

    @cached_property
    def key(self) -> ResultKey:
        """What the results belong to."""
        return ResultKey.of(self.base, self.plan, shot_of(self.settings))

    @property
    def nets(self) -> tuple[Net, ResultKey, Net | None]:
        """The measured nets."""
        return self.dense, self.key, self.net

    @property
    def is_dense(self) -> bool:
        """Whether nothing is pruned, so that both nets are the dense one."""
        floors = {profile.layer.name: profile.floor for profile in self.dense.profiles}
        return self.base is self.dense and self.plan == floors and self.net is None

    def includes(self, other: MeasurementRequest) -> bool:
        """Whether the results of this request also answer `other`."""
        return (
            self.nets == other.nets
            and self.accuracy >= other.accuracy
            and self.matrix >= other.matrix
            and self.costs >= other.costs
            and other.images in (None, self.images)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The accuracy of a plan applied to a base without training, from a sample."""

    key: ResultKey
    sample: Sample


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The result of a request."""

    request: MeasurementRequest

    @property
    def key(self) -> ResultKey:
        """What it was measured on."""
        return self.request.key


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Measurement):
    """Test images with both nets' predictions."""

    result: NetComparison

    def covers(self, request: MeasurementRequest) -> bool:
        """Whether it has all the images a request asks for."""
        needs_all = request.matrix or request.images == ImageSelection("wrong")
        same = self.request.nets == request.nets and self.request.images == request.images
        return same and (self.result.counts is not None or not needs_all)


@dataclass(frozen=True, slots=True, eq=False)
class LayerActivity(Measurement):
    """The activations of each layer."""

    result: ActivityMeasured
