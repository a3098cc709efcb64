"""Pruning, fine-tuning and measuring neural nets: everything a script can do without a terminal.

A script needs only the names of `core.api`, which are names of `core`, too: `core.prune` is
`core.api.prune`. `import core` does not load torch; the first use of such a name does. A submodule
loads what it needs. Nothing here depends on a terminal.

The folders, from the ground up; each imports only from those above it in this list:

    errors         InputError (fix the input), WorkError (the work failed), StoppedError
    events         what a long operation reports: frozen dataclasses; Stream, drain
    progress       how much of a whole operation is done, and how long the rest will take
    fields/        how settings are declared: kinds of values, defaults, meanings
    system/        files written whole, locks, devices, threads, timing, precision, untrusted JSON
    data/          data sets: fetched, checked, split, batched; folders of images
    nets/          the zoo, a user's own model, prunable layers, weights, digests, footprint
    graph/         a net as torch.fx sees it: units, dead units, compaction, prefix cache
    pruning/       plans, masks, thresholds, importance scores, goals, allocation, what-if
    measure/       accuracy, sampling, sensitivity scan, comparison of two nets, costs
    reconstruction/  masks and weights that keep each layer's output, without training
    criteria/      what ranks the weights to be pruned: magnitude, Wanda, Taylor, OBS, random
    training/      recipes, the training loop, gradual pruning, fine-tuning, checkpoints
    settings/      what a user may set: settings, recipe fields (recipe_changes), TOML files
    formats/       the compact file (codec/), ONNX, weights files, codebooks, sizes
    inference/     sparse inference (sparse/), dense engines, benchmark
    experiments/   runs on disk: written, read, exported, compared; saved scans
    jobs/          what a user starts: open, train, fine-tune, scan, export, benchmark
    executors/     tasks on workers: in this process, in others, on a cluster
    lightest/      the lightest net within an allowed drop in accuracy
    sweep/         many runs: grids, plans, what they found
    streams        the long operations of the API as generators
    api/           what `import core` gives a script: plain calls
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.api import *  # noqa: F403
else:  # hidden from type checkers, which would accept any name

    def __getattr__(name: str) -> Any:
        api = import_module("core.api")
        if name != "__all__" and name not in api.__all__:
            raise AttributeError(f"module 'core' has no attribute '{name}'")
        return getattr(api, name)

    def __dir__() -> list[str]:
        return import_module("core.api").__all__
