"""What has come of plans, and what the screen has seen of it: immutable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.experiments.exports import Export, with_export
from core.nets.footprint import DeadUnits, Footprint, Sizes
from core.pruning.plans import Plan

if TYPE_CHECKING:
    from core.events import Accuracy, Batch, Epoch
    from core.inference.timings import Bench
    from core.jobs.workbench import Net
    from core.measure.comparison import NetComparison
    from core.measure.costs import ActivityMeasured
    from core.pruning.curves import Sample
    from core.settings.settings import Settings

UNDO_LIMIT = 500

UNDO_PARAMETERS = 1 << 26
"""Of all the nets that undo may go back to: half a gigabyte with what a screen needs of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a plan came to: an accuracy that was measured, with what it was measured on.

    Attributes:
        base: the net that was pruned.
        net: what came of it, where it can be adopted.
        seconds: that it took.
        dead: its dead units, where they are known.
        sizes: what it takes, where that was measured.
        exports: the files that it was written to, the newest last.
    """

    plan: Plan
    base: Net
    accuracy: Accuracy
    footprint: Footprint
    net: Net | None = None
    seconds: float = 0.0
    dead: DeadUnits | None = None
    sizes: Sizes | None = None
    exports: tuple[Export, ...] = ()

    def written(self, export: Export, sizes: Sizes) -> Result:
        """With one more file."""
        return replace(self, sizes=sizes, exports=with_export(self.exports, export))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The accuracy of a plan, applied to a base and not trained, as far as it is known.

    Attributes:
        sample: of the validation images.
    """

    plan: Plan
    base: Net
    sample: Sample


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What undo and redo go to: sparsities, how to fine-tune, and what had come of them."""

    dense: Net | None
    base: Net | None
    plan: Plan | None
    pruned: Result | None
    finetuned: Result | None
    course: Course | None
    settings: Settings

    def renewed(self, old: Result, new: Result) -> Moment:
        """With a result of which more is known."""
        pruned = new if self.pruned is old else self.pruned
        finetuned = new if self.finetuned is old else self.finetuned
        return replace(self, pruned=pruned, finetuned=finetuned)

    @property
    def nets(self) -> frozenset[Net]:
        """The nets that it keeps in memory."""
        results = (self.pruned, self.finetuned)
        kept = (
            self.dense,
            self.base,
            *(r.net for r in results if r),
            *(r.base for r in results if r),
        )
        return frozenset(net for net in kept if net is not None)


@dataclass(frozen=True, slots=True)
class Course:
    """How a training goes or went: what the accuracy plot draws.

    Attributes:
        live: after each batch: epochs done (fractional), accuracy in percent and mean loss.
        finetuning: it works towards a plan, and a dense accuracy is there to compare with.
    """

    planned: int
    finetuning: bool
    epochs: tuple[Epoch, ...] = ()
    live: tuple[tuple[float, float, float], ...] = ()
    batch: Batch | None = None

    @property
    def best(self) -> Epoch | None:
        """The epoch that is kept: the first of the best ones that count."""
        counting = [epoch for epoch in self.epochs if epoch.final]
        return max(counting, key=lambda epoch: epoch.validation, default=None)

    def after_batch(self, batch: Batch) -> Course:
        """With one more batch; its accuracy is smoothed over about the last ten shown."""
        at = batch.epoch - 1 + batch.seen / batch.images
        before = self.live[-1][1] if self.live else batch.accuracy
        smoothed = before + 0.1 * (batch.accuracy - before)
        return replace(self, live=(*self.live, (at, smoothed, batch.loss)), batch=batch)

    def after_epoch(self, epoch: Epoch) -> Course:
        """With one more epoch."""
        return replace(self, epochs=(*self.epochs, epoch))


@dataclass(frozen=True, slots=True)
class Digits:
    """Which test images are looked at, see `core.measure.comparison`.

    Attributes:
        mode: one of each class, or those that only the pruned net gets wrong.
        start: which of them, counted from 0.
    """

    mode: Literal["chosen", "wrong"] = "chosen"
    start: int = 0

    def turned(self) -> Digits:
        """In the other mode, from its beginning."""
        return Digits("wrong" if self.mode == "chosen" else "chosen")

    def on(self) -> Digits:
        """The next ones."""
        return replace(self, start=self.start + 1)


FIRST_DIGITS = Digits()
"""The first test image of each class."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the background measurement is to find out.

    Attributes:
        tuned: the fine-tuned net of this base and plan, which then stands for the pruned one.
        accuracy: on a growing sample of validation.
        digits: the images to look at; None for none.
        matrix: every test image too.
        costs: what each layer does.
    """

    dense: Net
    base: Net
    plan: Plan
    tuned: Net | None
    accuracy: bool
    digits: Digits | None
    matrix: bool
    costs: bool = False

    def is_of_the_net_in(self, other: Wanted) -> bool:
        """Both look at the same nets."""
        mine, others = ((it.dense, it.base, it.plan, it.tuned) for it in (self, other))
        return mine == others

    def includes(self, other: Wanted) -> bool:
        """What answers this answers `other` too."""
        return (
            self.is_of_the_net_in(other)
            and self.accuracy >= other.accuracy
            and self.matrix >= other.matrix
            and self.costs >= other.costs
            and other.digits in (None, self.digits)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Images, and what both nets say of them.

    Attributes:
        wanted: what it was found out for.
    """

    wanted: Wanted
    compared: NetComparison

    def answers(self, wanted: Wanted) -> bool:
        """It is what is wanted now, as far as that concerns images."""
        mine, counted = self.wanted, self.compared.counted is not None
        all_known = counted or not (wanted.matrix or wanted.digits == Digits("wrong"))
        return mine.is_of_the_net_in(wanted) and mine.digits == wanted.digits and all_known


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What each layer of a net does.

    Attributes:
        wanted: what it was found out for.
    """

    wanted: Wanted
    counted: ActivityMeasured


@dataclass(frozen=True, slots=True, eq=False)
class Speed:
    """How fast a net is.

    Attributes:
        tuned: the net that was timed; None where it was the plan applied to the base.
        bench: the comparison, as far as it is.
    """

    plan: Plan
    base: Net
    tuned: Net | None
    bench: Bench


def within_limits(past: tuple[Moment, ...]) -> tuple[Moment, ...]:
    """The newest moments, so many that their nets take no more memory than they may."""
    past = past[-UNDO_LIMIT:]
    nets: set[Net] = set()
    size = 0
    for place in range(len(past) - 1, -1, -1):
        new = past[place].nets - nets
        nets |= new
        size += sum(profile.layer.elements for net in new for profile in net.profiles)
        if new and size > UNDO_PARAMETERS and place < len(past) - 1:
            return past[place + 1 :]
    return past
