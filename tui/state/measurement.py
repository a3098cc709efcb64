"""What the background measurement is asked for, and what it found: immutable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from core.pruning.plans import Plan
from tui.state.results import ResultKey

if TYPE_CHECKING:
    from core.jobs.workbench import Net
    from core.measure.comparison import NetComparison
    from core.measure.costs import ActivityMeasured
    from core.pruning.curves import Sample

Need = Literal["images", "matrix", "costs"]
"""What a plot may need: some test images, the answers to all of them, what each layer costs."""


@dataclass(frozen=True, slots=True)
class ImageSelection:
    """Which test images are shown, see `core.measure.comparison`.

    Attributes:
        mode: one of each class, or those that only the pruned net gets wrong.
        start: the first one, counted from 0.
    """

    mode: Literal["chosen", "wrong"] = "chosen"
    start: int = 0

    def toggled(self) -> ImageSelection:
        """In the other mode, from its beginning."""
        return ImageSelection("wrong" if self.mode == "chosen" else "chosen")

    def next_page(self) -> ImageSelection:
        """The next ones."""
        return replace(self, start=self.start + 1)


FIRST_DIGITS = ImageSelection()
"""The first test image of each class."""


@dataclass(frozen=True)
class MeasurementRequest:
    """What the background measurement is to find out.

    Attributes:
        tuned: the fine-tuned net of this base and plan, which then stands for the pruned one.
        accuracy: on a growing sample of validation.
        digits: the images to show; None for none.
        matrix: the answers to every test image too.
        costs: what each layer costs.
    """

    dense: Net
    base: Net
    plan: Plan
    tuned: Net | None
    accuracy: bool
    images: ImageSelection | None
    matrix: bool
    costs: bool = False

    @cached_property
    def key(self) -> ResultKey:
        """What its answers belong to."""
        return ResultKey.of(self.base, self.plan)

    @property
    def nets(self) -> tuple[Net, ResultKey, Net | None]:
        """The nets that are measured."""
        return self.dense, self.key, self.tuned

    @property
    def net_name(self) -> str:
        """What the net beside the dense one is called."""
        return "fine-tuned" if self.tuned else "pruned"

    def includes(self, other: MeasurementRequest) -> bool:
        """What answers this answers `other` too."""
        return (
            self.nets == other.nets
            and self.accuracy >= other.accuracy
            and self.matrix >= other.matrix
            and self.costs >= other.costs
            and other.images in (None, self.images)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The accuracy of a plan applied to a base without training, as far as it is known.

    Attributes:
        key: what it was measured on.
        sample: of the validation images.
    """

    key: ResultKey
    sample: Sample


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Test images, and what both nets say they are.

    Attributes:
        request: what it answers.
    """

    request: MeasurementRequest
    compared: NetComparison

    @property
    def key(self) -> ResultKey:
        """What it was measured on."""
        return self.request.key

    def covers(self, request: MeasurementRequest) -> bool:
        """It has all that is requested of images."""
        counted = self.compared.counted is not None
        all_known = counted or not (request.matrix or request.images == ImageSelection("wrong"))
        same = self.request.nets == request.nets and self.request.images == request.images
        return same and all_known


@dataclass(frozen=True, slots=True, eq=False)
class LayerActivity:
    """What each layer of a net costs.

    Attributes:
        request: what it answers.
    """

    request: MeasurementRequest
    counted: ActivityMeasured

    @property
    def key(self) -> ResultKey:
        """What it was measured on."""
        return self.request.key
