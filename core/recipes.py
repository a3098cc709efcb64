"""Named hyper-parameters: how a dense net is trained and how a pruned one is fine-tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import InputError


@dataclass(frozen=True, slots=True)
class Phase:
    """The hyper-parameters of one training.

    Attributes:
        schedule: how the learning rate moves. `step`: x 0.7 after every epoch; `cosine`: to zero
            over the epochs, once an epoch; `onecycle`: up for 30 % of the steps and down to
            nearly zero, every step (Smith and Topin 2017).
        lr: the learning rate to start from, for `onecycle` its peak.
        momentum: of SGD.
    """

    epochs: int
    optimizer: Literal["adadelta", "adamw", "sgd"]
    lr: float
    schedule: Literal["step", "cosine", "onecycle"]
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 256

    def steps_in_epoch(self, images: int) -> int:
        """Optimiser steps in one epoch; the last batch may be smaller."""
        return math.ceil(images / self.batch_size)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained dense and how it is fine-tuned towards a plan.

    Attributes:
        gradual: start from the base and raise the sparsity to the plan along a cubic (Zhu and
            Gupta 2017, equation 1) over the first `ramp` of the steps, masks renewed every
            `renew_every` steps; otherwise the plan is applied at once, before the first step.
        scale_dropout: lower each dropout as its layer loses connections (Han et al. 2015,
            section 3.2): D_r = D_o * sqrt(C_r / C_o).
    """

    name: str
    dense: Phase
    finetune: Phase
    gradual: bool
    scale_dropout: bool
    ramp: float = 0.5
    renew_every: int = 20

    def with_epochs(self, epochs: int | None) -> Recipe:
        """The same recipe with this many epochs of fine-tuning, where a number is given."""
        if epochs is None:
            return self
        return replace(self, finetune=replace(self.finetune, epochs=check_epochs(epochs)))

    def with_dense_epochs(self, epochs: int | None) -> Recipe:
        """The same recipe with this many epochs of dense training, where a number is given."""
        if epochs is None:
            return self
        return replace(self, dense=replace(self.dense, epochs=check_epochs(epochs)))


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fast",
            dense=Phase(6, "adamw", lr=4e-3, schedule="onecycle", weight_decay=1e-2),
            finetune=Phase(5, "adamw", lr=5e-3, schedule="onecycle", weight_decay=1e-2),
            gradual=True,
            scale_dropout=True,
        ),
        Recipe(
            name="reference",
            dense=Phase(5, "adadelta", lr=1.0, schedule="step"),
            finetune=Phase(5, "sgd", lr=0.1, schedule="cosine", momentum=0.9, weight_decay=1e-4),
            gradual=False,
            scale_dropout=False,
        ),
    )
}


def recipe_named(name: str) -> Recipe:
    """The recipe called `name`; raises InputError for a name that is not there."""
    if name not in RECIPES:
        raise InputError(f"unknown recipe '{name}': expected one of {', '.join(RECIPES)}")
    return RECIPES[name]


def check_epochs(epochs: int) -> int:
    """Give `epochs` back if at least one; raises InputError otherwise."""
    if epochs < 1:
        raise InputError(f"{epochs} epochs: expected at least 1")
    return epochs
