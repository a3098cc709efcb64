"""Numbers formatted for the user."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from core.events import Accuracy
from core.pruning.curves import wilson
from core.pruning.goals import NANOSECONDS

if TYPE_CHECKING:
    from core.lightest.trials import By, Trial

FEW_IMAGES = 2_000
"""Accuracies on fewer images are shown with their 95 % interval."""

UNPRUNABLE = "not prunable"
"""The row of a cost table for FLOPs that no pruning saves."""


def count(number: int) -> str:
    """An integer with thousands separators."""
    return f"{number:,}"


def percent(value: float) -> str:
    """A percentage with two decimals, without its sign."""
    return f"{value:.2f}"


def score(accuracy: Accuracy, split: str = "test") -> str:
    """An accuracy in percent, without its sign; on few images with its 95 % interval.

    Example:
        >>> score(Accuracy(99.2, 99.4)), score(Accuracy(78.2, 80.8, (78, 78)))
        ('99.40', '81 ±9')
    """
    return score_on(getattr(accuracy, split), accuracy.images[split == "test"])


def score_on(value: float, images: int) -> str:
    """An accuracy on so many images, 0 if unknown, as `score` shows it.

    Example:
        >>> score_on(99.4, 10_000), score_on(80.8, 78)
        ('99.40', '81 ±9')
    """
    half = half_width(value, images)
    return with_half(value, half) if half else percent(value)


def with_half(value: float, half: float) -> str:
    """A percentage with half the width of its interval, in as many decimals as that deserves."""
    decimals = _decimals(half)
    return f"{value:.{decimals}f} ±{half:.{decimals}f}"


def _decimals(half: float) -> int:
    """How many decimals a percentage deserves, given half the width of its interval."""
    return 2 if not half else 0 if half >= 1 else 1


def half_width(value: float, images: int) -> float:
    """Half the width of an accuracy's 95 % interval, in points; 0 on many or unknown images."""
    if not are_few(images):
        return 0.0
    low, high = wilson(value / 100 * images, images)
    return 50 * (high - low)


def are_few(images: int) -> bool:
    """Whether an accuracy on so many images needs its interval; 0 if unknown."""
    return 0 < images < FEW_IMAGES


def trial_result(trial: Trial, by: By) -> str:
    """What a descent's trial came to, and whether that is enough."""
    validation = score(trial.accuracy, "validation")
    costs = f", {trial_cost(trial, by)}" if trial.cost is not None else ""
    return f"{trial.ratio:.1f}x{costs}: {validation} % on validation, {verdict(trial)}"


def verdict(trial: Trial) -> str:
    """Whether a descent's trial passed, or why not."""
    if trial.passed:
        return "passed"
    return "no lighter" if trial.accurate else "too low"


def trial_cost(trial: Trial, by: By) -> str:
    """What the net of a trial costs, with its unit."""
    return "–" if trial.cost is None else f"{cost_of(trial.cost, by)} {by}"


def cost_of(cost: float, by: By) -> str:
    """What a net costs, without its unit; a time comes in nanoseconds."""
    return f"{cost / NANOSECONDS:.3f}" if by == "ms" else count(round(cost))


def ratio(value: float) -> str:
    """A compression ratio; infinite if nothing is left."""
    return f"{value:.2f}x" if math.isfinite(value) else "∞x"


def gain(value: float) -> str:
    """A speedup, or a slowdown."""
    return f"{value:.1f}x" if value >= 1 else f"{1 / value:.1f}x slower"


def size_change(size: int, before: int) -> str:
    """How many times smaller or larger a size is than another.

    Example:
        >>> size_change(20, 100), size_change(110, 100)
        ('5.0x smaller', '1.1x larger')
    """
    return f"{before / size:.1f}x smaller" if size <= before else f"{size / before:.1f}x larger"


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds, with three significant digits."""
    value = 1000 * seconds
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}" if value >= 0.001 else "0.000"


def duration(seconds: float) -> str:
    """Seconds as 42 s, 3:07 or 2:05:09."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def difference(value: float) -> str:
    """A difference of percentages with its sign."""
    return f"{value:+.2f}"


def difference_from(accuracy: Accuracy, dense: Accuracy, split: str = "test") -> str:
    """How far an accuracy is from the dense net's, as exact as the less exact of the two.

    Example:
        >>> difference_from(Accuracy(99.2, 99.3), Accuracy(99.2, 99.4))
        '-0.10'
        >>> difference_from(Accuracy(33.3, 33.3, (18, 18)), Accuracy(100.0, 100.0, (18, 18)))
        '-67'
    """
    points = getattr(accuracy, split) - getattr(dense, split)
    images = split == "test"
    decimals = min(
        _decimals(half_width(getattr(one, split), one.images[images])) for one in (accuracy, dense)
    )
    return f"{round(points, decimals) + 0.0:+.{decimals}f}"  # adding 0 makes -0 a 0


def plural(number: float, thing: str) -> str:
    """A count with its noun: 1 epoch, 2 epochs."""
    return f"{number:.12g} {thing}" if number == 1 else f"{number:.12g} {thing}s"


def without_dead(units: int, nonzero: int, parameters: int) -> str:
    """What remains without dead units, on one line."""
    left = f"{count(nonzero)} nonzero of {count(parameters)} parameters"
    return f"without {plural(units, 'dead unit')}: {left}"


def images_of(images: int, of: int, split: str) -> str:
    """Which images of a split were measured: 5,000 validation images, 200 of 10,000 test images."""
    return f"{count(images)} {f'of {count(of)} ' if images < of else ''}{split} images"


def measured_share(value: float | None, within: float | None) -> str:
    """A percentage with half the width of its interval if it has one; a dash for None."""
    return "–" if value is None else percent(value) + ("" if within is None else f" ±{within:.2f}")
