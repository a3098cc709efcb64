"""What a user is told before a training starts."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from core.data.registry import describe, is_folder
from core.measure.recalibration import fixed_statistics, running_norms
from core.system.error_text import counted, some
from core.training.recipes import Phase


def fitted_notice(what: str, before: Phase, phase: Phase, images: int) -> str:
    """How a recipe's phase was fitted to the number of images; empty if it was not.

    Names the options that change it: the dense net's are those of the command `train`.

    Args:
        what: `training` or `fine-tuning`.
        before: the phase as the settings have it.
        phase: the phase as it is run.
        images: number of training images.
    """
    parts = dict[str, str]()
    if phase.epochs != before.epochs:
        parts["--epochs"] = counted(phase.epochs, "epoch")
    if phase.batch_size != before.batch_size:
        parts["--batch-size"] = f"batches of {counted(phase.batch_size, 'image')}"
    if not parts:
        return ""
    of = " of featherweight train" if what == "training" else ""
    size, options = " in ".join(parts.values()), " and ".join(parts)
    return f"{what} takes {size}, to fit {counted(images, 'training image')}; see {options}{of}"


def mirrored_notice(dataset: str, phase: Phase) -> str:
    """A warning if flips take images out of their class; empty if they do not, or none is made."""
    if "flip" not in phase.augment or is_folder(dataset) or describe(dataset).symmetric:
        return ""
    text = "mirrored digits and letters are different ones, or none: leave flip out of --augment"
    return f"{dataset}: {text}"


def stale_notices(model: nn.Module, recalibrates: bool) -> Iterator[str]:
    """Says which running statistics stay as they are when `model` is pruned, if any do."""
    if not recalibrates and (norms := running_norms(model)):
        yield (
            f"--recalibrate off: a pruned net keeps the running statistics of {some(norms)} "
            "from before, so its accuracy may be far below what it can be"
        )
    if fixed := fixed_statistics(model):
        yield (
            f"the running statistics of {some(fixed)} stay as they are in a pruned net: those of "
            "torch's BatchNorm and InstanceNorm can be computed anew, not those of other classes"
        )
