"""What `import core` gives a script: calls on a model of your own, in your own process.

    data          splits, load: images in memory, cut into train, validation and test
    pruning       plan, prune, remove_dead, compact: calls that only compute
    operations    finetune, evaluate, scan, accelerate: calls that take a while, report and can stop
    torch_prune   to_torch_prune, from_torch_prune: masks for, and from, torch.nn.utils.prune
    files         save, load_weights: a model's weights in a file

A model changes only where its call says so, and then only when the call returns: everything else
happens on a copy. After an error or a stop it is as it was, modes, hooks and device included.
`core.streams` has the long operations as generators.
"""

from core.api.data import load, splits
from core.api.files import load_weights, save
from core.api.operations import accelerate, evaluate, finetune, scan
from core.api.pruning import compact, plan, prune, remove_dead
from core.api.torch_prune import from_torch_prune, to_torch_prune

__all__ = [
    "accelerate",
    "compact",
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
    "to_torch_prune",
]
