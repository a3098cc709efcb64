"""The API of `import core`: functions for your own models and scripts.

    data          splits, load: images split into train, validation and test
    pruning       plan, prune, remove_dead, compact, unprunable_weights: quick computations
    operations    finetune, reconstruct, evaluate, recalibrate, scan, costs, accelerate: long
                  operations, which report and can be stopped
    torch_prune   to_torch_prune, from_torch_prune: masks to and from torch.nn.utils.prune
    files         save, load_weights: weights in a file

A function changes a model only if its docstring says so, and only when it returns; it works on a
copy. After an error or a stop the model is unchanged, including modes, hooks and device.
`core.streams` has the long operations as generators. Results are declared where they are made, such
as `FineTuningResult` in `core.training.finetuning`.
"""

from core import streams
from core.api.data import load, splits
from core.api.files import load_weights, save
from core.api.operations import (
    accelerate,
    costs,
    evaluate,
    finetune,
    recalibrate,
    reconstruct,
    scan,
)
from core.api.pruning import compact, plan, prune, remove_dead, unprunable_weights
from core.api.torch_prune import from_torch_prune, to_torch_prune
from core.data.batches import Splits
from core.data.inputs import Inputs
from core.errors import InputError, StoppedError, WorkError
from core.events import Accuracy, Batch, Epoch, Event, Notice, Progress, drain
from core.pruning.curves import Scan
from core.pruning.masks import Masks
from core.reconstruction.sequence import Reconstruction
from core.settings.recipe_changes import RecipeChanges
from core.training.finetuning import FineTuningResult

# fmt: off
__all__ = [
    "Accuracy", "Batch", "Epoch", "Event", "FineTuningResult", "InputError", "Inputs", "Masks",
    "Notice", "Progress", "RecipeChanges", "Reconstruction", "Scan", "Splits", "StoppedError",
    "WorkError", "accelerate", "compact", "costs", "drain", "evaluate", "finetune",
    "from_torch_prune", "load", "load_weights", "plan", "prune", "recalibrate", "reconstruct",
    "remove_dead", "save", "scan", "splits", "streams", "to_torch_prune", "unprunable_weights",
]
# fmt: on
