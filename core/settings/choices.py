"""What a person may choose about fine-tuning, each choice with the line that explains it."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import InputError
from core.training.recipes import (
    LOSSES,
    METHODS,
    OPTIMIZERS,
    LossName,
    Method,
    OptimizerName,
    Phase,
    Recipe,
)

DEFAULT_ROUNDS = 3
MOST_ROUNDS = 100
MOST_EPOCHS = 100_000
MOST_IN_BATCH = 1_000_000

MEANINGS = {
    "epochs": "passes over the images, in each round",
    "lr": "at the start, or at its peak",
    "method": "how the plan comes into force",
    "rounds": "prunings and retrainings (iterative)",
    "scale_dropout": "dropout shrinks: D √(left / before)",
    "l1": "pulls every weight to zero alike",
    "l2": "pulls weights in proportion (decay)",
    "rewind": "survivors restart at early values",
    "optimizer": "what takes the steps",
    "batch_size": "images in each step",
    "loss": "what training brings down",
    "smoothing": "of the labels (cross-entropy)",
}
"""Each choice in a line, in the order in which people are asked."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Changes to a recipe; None leaves what the recipe says.

    Raises:
        InputError: a value that is not one of those expected.
    """

    epochs: int | None = None
    lr: float | None = None
    method: Method | None = None
    rounds: int | None = None
    scale_dropout: bool | None = None
    l1: float | None = None
    l2: float | None = None
    rewind: bool | None = None
    optimizer: OptimizerName | None = None
    batch_size: int | None = None
    loss: LossName | None = None
    smoothing: float | None = None

    def __post_init__(self) -> None:
        _check_whole("epochs", self.epochs, MOST_EPOCHS)
        _check_whole("rounds", self.rounds, MOST_ROUNDS)
        _check_whole("images in a batch", self.batch_size, MOST_IN_BATCH)
        _check_name("method", self.method, METHODS)
        _check_name("optimizer", self.optimizer, OPTIMIZERS)
        _check_name("loss", self.loss, LOSSES)
        if self.smoothing is not None and not 0 <= self.smoothing < 1:
            raise InputError(f"smoothing {self.smoothing}: expected a number from 0 to below 1")
        if self.lr is not None and not 0 < self.lr <= 100:
            raise InputError(f"learning rate {self.lr}: expected a number above 0, at most 100")
        for name, strength in (("l1", self.l1), ("l2", self.l2)):
            if strength is not None and not (math.isfinite(strength) and 0 <= strength <= 1):
                raise InputError(f"{name} {strength}: expected a number from 0 to 1")

    def applied_to(self, recipe: Recipe) -> Recipe:
        """The recipe with these choices.

        Raises:
            InputError: choices that contradict each other.
        """
        method = self.method_with(recipe)
        rewind = recipe.rewind if self.rewind is None else self.rewind
        if rewind and method == "gradual":
            raise InputError(
                "rewinding needs masks that are there before it trains: "
                "expected the method one-shot or iterative"
            )
        if self.rounds is not None and self.rounds > 1 and method != "iterative":
            raise InputError(f"{self.rounds} rounds: expected the method iterative, not {method}")
        if self.smoothing and (self.loss or recipe.finetune.loss) != "cross-entropy":
            raise InputError(f"smoothing {self.smoothing}: expected the loss cross-entropy")
        rounds = (self.rounds or max(recipe.rounds, DEFAULT_ROUNDS)) if method == "iterative" else 1
        scale = recipe.scale_dropout if self.scale_dropout is None else self.scale_dropout
        return replace(
            recipe,
            finetune=self._phase(recipe.finetune),
            method=method,
            rounds=rounds,
            scale_dropout=scale,
            rewind=rewind,
        )

    def applied_to_dense(self, phase: Phase) -> Phase:
        """A phase of dense training with what of these choices has a meaning there."""
        return self._phase(phase)

    def given(self) -> dict[str, object]:
        """The choices that were made."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def method_with(self, recipe: Recipe) -> Method:
        """The method; to ask for several rounds is to ask for the iterative one."""
        if self.method is None and self.rounds is not None and self.rounds > 1:
            return "iterative"
        return recipe.method if self.method is None else self.method

    def _phase(self, phase: Phase) -> Phase:
        same = {"epochs", "l1", "batch_size", "loss", "smoothing"} & self.given().keys()
        changes: dict[str, Any] = {name: getattr(self, name) for name in same}
        if self.l2 is not None:
            changes["weight_decay"] = self.l2
        return replace(phase.by(self.optimizer or phase.optimizer, self.lr), **changes)


def _check_name(what: str, name: str | None, known: Collection[str]) -> None:
    if name is not None and name not in known:
        raise InputError(f"unknown {what} '{name}': expected one of {', '.join(known)}")


def _check_whole(what: str, number: int | None, most: int) -> None:
    if number is not None and not 1 <= number <= most:
        raise InputError(f"{number} {what}: expected from 1 to {most:,}")


NO_CHOICES = Choices()
"""Everything as the recipe says."""
