"""Pruning, fine-tuning and measuring neural nets: everything a script can do without a terminal.

A script needs only the names that `core` exports, see `core.api`. `import core` loads no torch; a
submodule loads what it needs. Nothing here knows of a terminal.

The folders, from the ground up; each imports only from those above it in this list:

    errors         InputError (fix the input), WorkError (the work failed), StoppedError
    events         what a long operation reports: frozen dataclasses; Stream, drain
    fields/        how settings are declared: kinds of values, defaults, meanings
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
    api/           what `import core` gives a script: plain calls
    streams        the long ones among them as generators
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core import streams
    from core.api import (
        accelerate,
        compact,
        evaluate,
        finetune,
        from_torch_prune,
        load,
        load_weights,
        plan,
        prune,
        remove_dead,
        save,
        scan,
        splits,
        to_torch_prune,
    )
    from core.data.batches import Splits
    from core.data.inputs import Inputs
    from core.errors import InputError, StoppedError, WorkError
    from core.events import Accuracy, Batch, Epoch, Event, Notice, Progress, drain
    from core.pruning.curves import Scan
    from core.pruning.masks import Masks
    from core.settings.recipe_changes import RecipeChanges
    from core.training.finetuning import FineTuningResult

__all__ = [
    "Accuracy",
    "Batch",
    "Epoch",
    "Event",
    "FineTuningResult",
    "InputError",
    "Inputs",
    "Masks",
    "Notice",
    "Progress",
    "RecipeChanges",
    "Scan",
    "Splits",
    "StoppedError",
    "WorkError",
    "accelerate",
    "compact",
    "drain",
    "evaluate",
    "finetune",
    "from_torch_prune",
    "load",
    "load_weights",
    "plan",
    "prune",
    "remove_dead",
    "save",
    "scan",
    "splits",
    "streams",
    "to_torch_prune",
]

_MODULES = {
    "FineTuningResult": "training.finetuning",
    "Inputs": "data.inputs",
    "Masks": "pruning.masks",
    "RecipeChanges": "settings.recipe_changes",
    "Scan": "pruning.curves",
    "Splits": "data.batches",
    **dict.fromkeys(("InputError", "StoppedError", "WorkError"), "errors"),
    **dict.fromkeys(
        ("Accuracy", "Batch", "Epoch", "Event", "Notice", "Progress", "drain"), "events"
    ),
}
"""The module of a name that is not in `core.api`."""

if not TYPE_CHECKING:  # else a type checker would take any name for one that is here

    def __getattr__(name: str) -> Any:
        if name == "streams":
            return import_module("core.streams")
        if name in __all__:
            return getattr(import_module(f"core.{_MODULES.get(name, 'api')}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted(__all__)
