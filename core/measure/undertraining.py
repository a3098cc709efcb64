"""Signs that a dense net was trained too little for its pruned nets to be judged by it."""

import math
from collections.abc import Sequence

import torch

from core.data.batches import Images, Splits
from core.events import Accuracy, Epoch
from core.pruning.curves import wilson

LATE, RISING = 0.75, 2.0
"""Training was cut short if validation rises by more than `RISING` points in its last quarter."""

BEATEN = 1.0
"""Points by which a pruned net must beat the dense one, beyond chance; or a net mere guessing."""


def guessing(data: Splits) -> Accuracy:
    """The accuracy of always predicting the most common class of each split."""
    return Accuracy(_largest_class(data.validation), _largest_class(data.test))


def _largest_class(images: Images) -> float:
    return 100 * int(torch.bincount(images.labels).max()) / len(images)


def is_guessing(accuracy: Accuracy, guess: Accuracy) -> bool:
    """Whether a net is no better on validation than `guess`, as far as its images can tell."""
    images = accuracy.images[0]
    low, _ = wilson(accuracy.validation / 100 * images, images)
    return 100 * low <= guess.validation


def is_unclear(accuracy: Accuracy, guess: Accuracy) -> bool:
    """Whether a net seems better than `guess`, but its images are too few to tell."""
    return is_guessing(accuracy, guess) and accuracy.validation > guess.validation + BEATEN


def late_gain(epochs: Sequence[Epoch], images: int) -> float:
    """Points that validation gained in the last quarter of a training; 0 if it had leveled off.

    Args:
        epochs: all of them; too few to tell if there are fewer than four.
        images: in validation; a gain within its 95 % interval does not count.
    """
    if len(epochs) < 4:
        return 0.0
    early = max(epoch.validation for epoch in epochs[: int(LATE * len(epochs))])
    gain = max(epoch.validation for epoch in epochs) - early
    return gain if gain > max(RISING, _half_width(early, images)) else 0.0


def points_ahead(pruned: Accuracy, dense: Accuracy) -> float:
    """Points on validation by which a pruned net beats the dense one; 0 if that may be chance."""
    gain = pruned.validation - dense.validation
    return gain if gain > max(BEATEN, lead_half_width(pruned, dense)) else 0.0


def lead_half_width(pruned: Accuracy, dense: Accuracy) -> float:
    """Half the width of the 95 % interval of what `points_ahead` gives, in points.

    The accuracies count as independent. On the same images they are not, and the interval is
    narrower.
    """
    images = dense.images[0]
    return math.hypot(*(_half_width(one.validation, images) for one in (pruned, dense)))


def rising_notice(epochs: Sequence[Epoch], images: int) -> str:
    """What a `late_gain` means, in words; empty if there is none."""
    if not (gain := late_gain(epochs, images)):
        return ""
    rise = f"validation still rose by {gain:.1f} points in the last quarter of training"
    return f"probably undertrained: {rise}; more epochs may help"


def lead_notice(pruned: Accuracy, dense: Accuracy) -> str:
    """What it means that a fine-tuned net is ahead, in words; empty if it is not."""
    if not (gain := points_ahead(pruned, dense)):
        return ""
    lead = f"{gain:.1f} ±{lead_half_width(pruned, dense):.1f} points"
    cause = "the dense net is probably undertrained; more epochs may help it"
    return f"the fine-tuned net beats the dense one by {lead} on validation: {cause}"


def _half_width(accuracy: float, images: int) -> float:
    low, high = wilson(accuracy / 100 * images, images)
    return 50 * (high - low)
