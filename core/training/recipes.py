"""Recipes: named hyperparameters for dense training and fine-tuning."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple

from core.criteria.names import MAGNITUDE
from core.errors import InputError

Method = Literal["one-shot", "gradual", "iterative"]
LossName = Literal["cross-entropy", "margin", "squared"]
OptimizerName = Literal["adadelta", "adamw", "sgd"]
Augmentation = Literal["shift", "flip", "crop"]

METHODS: dict[Method, str] = {
    "one-shot": "prune at once, then retrain",
    "gradual": "sparsity rises along a cubic curve",
    "iterative": "prune a little, retrain, repeat",
}
"""How pruning and training alternate."""


class OptimizerDefaults(NamedTuple):
    """An optimizer's default hyperparameters."""

    lr: float
    weight_decay: float
    meaning: str


OPTIMIZERS: dict[OptimizerName, OptimizerDefaults] = {
    "adamw": OptimizerDefaults(5e-3, 1e-2, "Adam with decoupled weight decay"),
    "sgd": OptimizerDefaults(0.1, 1e-4, "SGD with momentum"),
    "adadelta": OptimizerDefaults(1.0, 0.0, "adaptive steps from recent gradients"),
}

LOSSES: dict[LossName, str] = {
    "cross-entropy": "softmax negative log-likelihood",
    "margin": "the other logits at least 1 lower",
    "squared": "1 for the true class, 0 for the rest",
}
"""The loss functions.

`margin` is the multi-class hinge of Weston and Watkins (1999), divided by the classes; `squared`
does as well as cross-entropy on most tasks (Hui and Belkin 2021, "Evaluation of Neural
Architectures Trained with Square Loss vs Cross-Entropy in Classification Tasks").
"""

AUGMENTATIONS: dict[Augmentation, str] = {
    "shift": "move by up to an eighth of the side",
    "flip": "mirror half of the images",
    "crop": "enlarge a part of 80 to 100 % a side",
}
"""Random changes to training images, see `core.training.augmentation`."""

MOMENTUM = 0.9
"""Momentum of SGD when it replaces a recipe's optimizer."""

BATCH_VALUES = 6_000_000
"""Most pixel values in a training batch, unless its size is set: 39 images of 3x224x224.

VGG-16 keeps a hundred times as much for the backward pass, 2.4 GB.
"""

EPOCH_STEPS, TRAINING_STEPS = 25, 400
"""Least optimizer steps per epoch and in all, unless batch size and epochs are set.

On 900 images of MNIST, 6 epochs in batches of 256 (24 steps) give cnn5 76.6 % on test; 14 in
batches of 32 (406 steps), 94.4 %.
"""

SMALLEST_BATCH = 16
"""To get those steps, batches are not made smaller: BatchNorm needs some images."""

MAX_FITTED_EPOCHS = 60
"""To get those steps, epochs are not raised further."""

RAMP = 0.5
"""The share of a gradual fine-tuning in which sparsity rises."""


class TrainingSize(NamedTuple):
    """The size of a training set: its images, and the pixel values of each."""

    images: int
    values: int


@dataclass(frozen=True, slots=True)
class Phase:
    """The hyperparameters of one training.

    Attributes:
        schedule: learning rate schedule. `step`: x 0.7 after every epoch; `cosine`: to zero over
            the epochs, updated every epoch; `onecycle`: up for 30 % of the steps, then down to
            nearly zero, updated every step (Smith and Topin 2017).
        lr: the initial learning rate; for `onecycle`, its peak.
        loss: see `LOSSES`.
        smoothing: label smoothing for cross-entropy, the share spread over all classes
            (Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7).
        weight_decay: L2 regularization, as the optimizer defines it: for AdamW decoupled from the
            gradient (Loshchilov and Hutter 2019), otherwise added to it as weight_decay x w.
        l1: L1 regularization of the prunable weights: l1 x sign(w) is added to the gradient.
        augment: see `AUGMENTATIONS`.
    """

    epochs: int
    optimizer: OptimizerName
    lr: float
    schedule: Literal["step", "cosine", "onecycle"]
    momentum: float = 0.0
    weight_decay: float = 0.0
    l1: float = 0.0
    loss: LossName = "cross-entropy"
    smoothing: float = 0.0
    batch_size: int = 256
    augment: tuple[Augmentation, ...] = ()

    def values(self) -> dict[str, Any]:
        """All hyperparameters by name, as JSON has them; `augment` only if there is any.

        Runs and stored nets without it are then those of versions that did not know it.
        """
        values = asdict(self)
        augment = values.pop("augment")
        return values | ({"augment": list(augment)} if augment else {})

    def with_optimizer(self, optimizer: OptimizerName, lr: float | None) -> Phase:
        """The phase with another optimizer, its default decay, and `lr` or its default rate.

        The weight decay is not carried over: each optimizer defines it differently.
        """
        if optimizer == self.optimizer:
            return self if lr is None else replace(self, lr=lr)
        defaults = OPTIMIZERS[optimizer]
        return replace(
            self,
            optimizer=optimizer,
            lr=defaults.lr if lr is None else lr,
            weight_decay=defaults.weight_decay,
            momentum=MOMENTUM if optimizer == "sgd" else 0.0,
        )

    def fitted_to(self, size: TrainingSize) -> Phase:
        """The phase with smaller batches for large images, and more steps for few images.

        Batches have at most `BATCH_VALUES` values. Few images get smaller batches and more epochs,
        see `TRAINING_STEPS`; those of MNIST leave both as they are.
        """
        least = min(self.batch_size, SMALLEST_BATCH)
        for_steps = max(least, 1 << (max(1, size.images // EPOCH_STEPS).bit_length() - 1))
        for_memory = max(1, BATCH_VALUES // max(1, size.values))
        fitted = replace(self, batch_size=min(self.batch_size, for_steps, for_memory))
        epochs = math.ceil(TRAINING_STEPS / fitted.steps_in_epoch(size.images))
        return replace(fitted, epochs=max(self.epochs, min(epochs, MAX_FITTED_EPOCHS)))

    def steps_in_epoch(self, images: int) -> int:
        """Optimizer steps per epoch; the last batch may be smaller."""
        return math.ceil(images / self.batch_size)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained dense and how it is fine-tuned to a plan.

    Attributes:
        finetune: hyperparameters of one round of fine-tuning.
        method: `one-shot`: the plan is applied before the first step (Han et al. 2015).
            `gradual`: from the base, sparsity rises to the plan along a cubic (Zhu and Gupta 2017,
            equation 1) over the first `ramp` of the steps, with masks renewed every `renew_every`
            steps. `iterative`: pruned and retrained `rounds` times, each round pruning the same
            share of the remaining weights (Han et al. 2015, section 3.4).
        scale_dropout: lower each dropout as its layer loses connections (Han et al. 2015,
            section 3.2): D_r = D_o * sqrt(C_r / C_o).
        criterion: what ranks the weights to be pruned, see `core.criteria`.
        rewind: after each pruning, the kept weights are reset to their values early in dense
            training (Frankle et al. 2019, "Stabilizing the Lottery Ticket Hypothesis").
        reconstruct: start from the reconstructed net (see `core.reconstruction`) and hold its
            masks; the full plan is then in force from the first step, so the method is one-shot.
        distill: share of distillation from the dense net in the loss, see `core.training.losses`.
    """

    name: str
    dense: Phase
    finetune: Phase
    method: Method
    scale_dropout: bool
    rounds: int = 1
    rewind: bool = False
    ramp: float = RAMP
    renew_every: int = 20
    criterion: str = MAGNITUDE
    reconstruct: bool = False
    distill: float = 0.0

    def fitted_to(self, size: TrainingSize) -> Recipe:
        """The recipe for a training set of this size, see `Phase.fitted_to`."""
        dense, finetune = self.dense.fitted_to(size), self.finetune.fitted_to(size)
        return replace(self, dense=dense, finetune=finetune)

    @property
    def gradual(self) -> bool:
        """Whether masks tighten during training."""
        return self.method == "gradual"

    @property
    def epochs(self) -> int:
        """Epochs of fine-tuning over all rounds."""
        return self.rounds * self.finetune.epochs

    @property
    def first_full_epoch(self) -> int:
        """The first epoch that ends at the full plan, see `first_full_epoch`."""
        return first_full_epoch(self.method, self.finetune.epochs, self.rounds, self.ramp)


def first_full_epoch(method: str | None, epochs: int, rounds: int = 1, ramp: float = RAMP) -> int:
    """The first epoch that ends at the full plan, of `rounds` of `epochs` each; see `Recipe`.

    0 if the full plan is in force from the first step, so that nothing is left to prune.

    Example:
        >>> [first_full_epoch(method, 5, 3) for method in ("one-shot", "iterative")]
        [0, 11]
        >>> first_full_epoch("gradual", 5)
        3
    """
    match method:
        case "iterative" if rounds > 1:
            return (rounds - 1) * epochs + 1
        case "gradual":
            return max(1, math.ceil(epochs * ramp))
        case _:
            return 0


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fast",
            dense=Phase(6, "adamw", lr=4e-3, schedule="onecycle", weight_decay=1e-2),
            finetune=Phase(5, "adamw", lr=5e-3, schedule="onecycle", weight_decay=1e-2),
            method="gradual",
            scale_dropout=True,
        ),
        Recipe(
            name="reference",
            dense=Phase(5, "adadelta", lr=1.0, schedule="step"),
            finetune=Phase(5, "sgd", lr=0.1, schedule="cosine", momentum=0.9, weight_decay=1e-4),
            method="one-shot",
            scale_dropout=False,
        ),
    )
}

RECIPE_MEANINGS = {
    "fast": "gradual pruning, AdamW, one cycle",
    "reference": "the notebook's: one-shot, SGD",
}


def recipe_named(name: str) -> Recipe:
    """The recipe called `name`; raises InputError for an unknown name."""
    if name not in RECIPES:
        raise InputError(f"unknown recipe '{name}': expected one of {', '.join(RECIPES)}")
    return RECIPES[name]
