"""What a person may choose about fine-tuning, each choice with the line that explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from core.errors import InputError
from core.recipes import METHODS, Method, Phase, Recipe

DEFAULT_ROUNDS = 3
MOST_ROUNDS = 100
MOST_EPOCHS = 100_000

MEANINGS = {
    "epochs": "passes over the images, in each round",
    "lr": "at the start, or at its peak",
    "method": "how the plan comes into force",
    "rounds": "prunings and retrainings (iterative)",
    "scale_dropout": "dropout shrinks: D √(left / before)",
    "l1": "pulls every weight to zero alike",
    "l2": "pulls weights in proportion (decay)",
    "rewind": "survivors restart at early values",
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

    def __post_init__(self) -> None:
        _check_whole("epochs", self.epochs, MOST_EPOCHS)
        _check_whole("rounds", self.rounds, MOST_ROUNDS)
        if self.method is not None and self.method not in METHODS:
            known = ", ".join(METHODS)
            raise InputError(f"unknown method '{self.method}': expected one of {known}")
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
        return replace(
            phase,
            epochs=phase.epochs if self.epochs is None else self.epochs,
            lr=phase.lr if self.lr is None else self.lr,
            l1=phase.l1 if self.l1 is None else self.l1,
            weight_decay=phase.weight_decay if self.l2 is None else self.l2,
        )


def _check_whole(what: str, number: int | None, most: int) -> None:
    if number is not None and not 1 <= number <= most:
        raise InputError(f"{number} {what}: expected from 1 to {most:,}")


NO_CHOICES = Choices()
"""Everything as the recipe says."""
