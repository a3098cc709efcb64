"""Pruning, fine-tuning and measuring neural nets: everything a script can do without a terminal.

For a script, `core.splits`, `load`, `plan`, `prune`, `finetune`, `evaluate`, `remove_dead`,
`compact`, `accelerate`, `take_masks`, `give_masks`, `drain`, `Choices`, `Inputs` and `InputError`
are enough: see `core.api`.

`import core` loads no torch; a submodule loads what it needs. Nothing here knows of a terminal.

The map:

    api           what `import core` gives a script
    events        what a long operation says while it works: frozen dataclasses; Stream, drain
    errors        InputError (mend the input), WorkError (the work failed)
    datasets/     MNIST: fetched, checked, three splits in memory
    zoo, nets     the nets known by name, and the trained weights shipped with them
    own           the user's own net: found, built, tried
    weights       a state_dict as a safetensors file, checked against its net
    identity      which weights these are: a digest
    settings      what a run is asked to do, checked
    choices       what a person may change about a recipe, each with its line
    inputs        what a person may say of the images: size, channels, normalisation
    config, toml  settings and sparsities in a small file, for sharing
    batches       a split as tensors, normalised a batch at a time
    layers        which weights can be pruned: name, shape, counts
    plans         one sparsity a layer: parsing, checking
    presets       ready plans, by net
    han2015       the paper's tables, as printed
    whatif        a plan's thresholds, counts and histograms, without touching a tensor
    footprint     parameters and bytes, and what is counted
    selection     the k-th smallest magnitude of a tensor, without a copy of it
    pruning       magnitude, threshold, mask; Masks holds the invariant: what is pruned stays zero
    recipes       named hyper-parameters
    losses        what training brings down
    predictions   the answers of float32, computed in bf16 where that cannot change them
    evaluation    images counted, accuracies measured
    curves        what a scan or a sample finds: points, intervals
    activity      what each layer does for an image: multiplications, nonzero values
    costs         the paper's table for any net
    cuts          a net cut before a layer: run up to it once, and on from it often
    tracing       a net as torch.fx has it, tried
    calls         what its calls are: kinds that several look for
    steps         its calls, as far as units are concerned: constants, and what is needed
    following     which calls treat each unit by itself, which are layers
    dead          dead units: found, removed exactly, counted
    compaction    a smaller dense net without them
    timing        ways to do the same, timed by turns
    sparse/       a pruned net run by its nonzeros, where that is faster
    engines       torch, onnxruntime, openvino: what runs a net with every weight
    race          engines timed side by side; bench: what came of it, and its JSON
    sensitivity   the scan: each layer pruned alone, over a range of sparsities
    forecast      what a plan is likely to cost, from a scan
    sampling      the accuracy of a plan on a growing sample
    answers       what two nets say of images: ten at once, all of them soon after
    goals         how light a net shall be, and the methods' names
    rankings      which weights a layer gives up first, by each method
    allocation    from a budget to a sparsity for every layer
    planned       from a goal to a plan, with the scan that a method may need
    search        the lightest net within an accuracy: a bracket over the ratio
    pareto        which nets nothing beats
    dropout       dropout that does not wait for one core
    gradual       masks that tighten while a net is fine-tuned, and what follows them
    trainer       the loop over epochs and batches; the best epoch
    checkpoints   a training between two epochs, as tensors and plain data
    training      train a dense net
    finetuning    prune and measure; fine-tune, in one round or several
    precision     whether this machine gains by bf16
    devices       where torch computes
    allocator     freed memory that is kept for the next step
    libraries     torch's shared libraries, brought in while other threads go on
    opening       the dense net: given, shipped, kept from before, or trained now
    kept          dense nets trained on first use, kept in the cache
    models        fresh models, and ones that hold or read weights that are there
    workbench     one model, one data set and the settings: what jobs share, those that make a net
    measuring     the jobs that only ask: scan, sample, compare, count, time
    codec/        the compact file: encode, decode, and FORMAT.md, which documents it to the bit
    ordering      units in the order in which a compact file is smallest
    rounding      tensors of few numbers: codebooks found by k-means, whole steps
    sharing       training a net of rounded numbers
    quantising    few values for the weights of each layer, as few as a drop in accuracy allows
    formats       the formats that a net is written in, and how values may be kept
    packing       a net as what a compact file holds
    exporting     a net written to a file, read back and measured
    sizes         what a pruned net takes, in the ways that people count it
    report        a result as the JSON of the commands, and as a run records it
    experiment    a folder of runs: which is meant, begun, taken up again, deleted
    runs          one run on disk, read; run_writer: one in the making
    exports       the files that a run's net was written to
    facts, locks  JSON and headers read without trust; who is making a run
    recorder      trainings recorded while they go on, and taken up again
    restore       back to a run: its settings, plan and nets
    scans         scans kept with an experiment
    files         files that are written whole or not at all
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
