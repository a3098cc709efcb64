"""Pruning, fine-tuning and measuring neural nets: everything a script can do without a terminal.

A script needs only the names that `core` exports, see `core.api`. `import core` loads no torch; a
submodule loads what it needs. Nothing here knows of a terminal.

The folders, from the ground up; each imports only from those above it in this list:

    errors         InputError (fix the input), WorkError (the work failed), StoppedError
    events         what a long operation reports: frozen dataclasses; Stream, drain
    system/        files written whole, locks, devices, threads, timing, precision, untrusted JSON
    data/          data sets: fetched, checked, split, batched; folders of images
    nets/          the zoo, a user's own model, prunable layers, weights, digests, footprint
    graph/         a net as torch.fx sees it: units, dead units, compaction, prefix cache
    pruning/       plans, masks, thresholds, importance scores, goals, allocation, what-if
    measure/       accuracy, sampling, sensitivity scan, comparison of two nets, costs
    training/      recipes, the training loop, gradual pruning, fine-tuning, checkpoints
    settings/      what a person may set: declared, checked, read from TOML
    formats/       the compact file (codec/), ONNX, weights files, codebooks, sizes
    inference/     running a net by its nonzeros (sparse/), engines, benchmark
    experiments/   runs on disk: written, read, exported, compared; saved scans
    jobs/          what a person starts: open, train, fine-tune, scan, search, export, benchmark
    api            what `import core` gives a script
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.api import (
        accelerate,
        compact,
        evaluate,
        finetune,
        give_masks,
        load,
        plan,
        prune,
        remove_dead,
        splits,
        take_masks,
    )
    from core.data.inputs import Inputs
    from core.errors import InputError
    from core.events import drain
    from core.settings.choices import Choices

__all__ = [
    "Choices",
    "InputError",
    "Inputs",
    "accelerate",
    "compact",
    "drain",
    "evaluate",
    "finetune",
    "give_masks",
    "load",
    "plan",
    "prune",
    "remove_dead",
    "splits",
    "take_masks",
]

_ROOMS = {"Choices": "choices", "InputError": "errors", "Inputs": "inputs", "drain": "events"}
"""Where a name is that is not in `core.api`."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"core.{_ROOMS.get(name, 'api')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
