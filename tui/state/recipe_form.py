"""Choosing how to fine-tune, row by row: what each row shows and how a key changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import InputError
from core.settings.choices import MEANINGS, NO_CHOICES, Choices
from core.training.recipes import (
    LOSSES,
    METHODS,
    OPTIMIZERS,
    RECIPE_MEANINGS,
    RECIPES,
    Recipe,
    recipe_named,
)

TITLES = {
    "recipe": "recipe",
    "method": "method",
    "rounds": "rounds",
    "epochs": "epochs",
    "lr": "learning rate",
    "scale_dropout": "scale dropout",
    "l1": "L1",
    "l2": "L2",
    "rewind": "rewind",
    "optimizer": "optimizer",
    "batch_size": "batch size",
    "loss": "loss",
    "smoothing": "smoothing",
}
"""The rows, from what matters most."""

SERIES = (1.0, 2.0, 5.0)
STRENGTHS = (0.0, *(factor * 10.0**power for power in range(-7, 0) for factor in SERIES))
RATES = tuple(factor * 10.0**power for power in range(-5, 1) for factor in SERIES)
MOST_EPOCHS, MOST_ROUNDS = 500, 20
BATCHES = tuple(2**power for power in range(13))
SMOOTHINGS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
SERIES_OF = {"lr": RATES, "smoothing": SMOOTHINGS}
NAMED: Mapping[str, tuple[str, ...]] = {
    "recipe": tuple(RECIPES),
    "method": tuple(METHODS),
    "optimizer": tuple(OPTIMIZERS),
    "loss": tuple(LOSSES),
}
"""The rows that choose among names."""
_SAID: Mapping[str, str] = dict((*RECIPE_MEANINGS.items(), *METHODS.items(), *LOSSES.items()))


@dataclass(frozen=True, slots=True)
class Row:
    """A choice as it stands.

    Attributes:
        name: of the field of `Choices`, or `recipe`.
        changed: it is not what the recipe says.
        idle: it has no meaning with the others as they are.
    """

    name: str
    title: str
    value: str
    meaning: str
    changed: bool
    idle: bool


@dataclass(frozen=True, slots=True)
class Choosing:
    """A recipe and changes to it, while they are being chosen.

    Attributes:
        at: the index of the row that the keys act on.
        rewindable: the net has early weights to rewind to.
        image_values: numbers in an image: of large ones a recipe takes fewer at once.
    """

    recipe: str
    choices: Choices = NO_CHOICES
    at: int = 0
    rewindable: bool = True
    image_values: int = 0

    @property
    def problem(self) -> str:
        """Why this cannot be taken; empty where it can."""
        try:
            recipe = self.choices.applied_to(recipe_named(self.recipe))
        except InputError as error:
            return str(error)
        missing = recipe.rewind and not self.rewindable
        return "this net has no early weights: t trains one that has" if missing else ""

    def rows(self) -> tuple[Row, ...]:
        """All of them, in order."""
        return tuple(self._row(name) for name in TITLES)

    def move(self, steps: int) -> Choosing:
        """With another row chosen; at either end it stays."""
        return replace(self, at=min(max(self.at + steps, 0), len(TITLES) - 1))

    def change(self, steps: int) -> Choosing:
        """With the chosen row's value changed by so many steps."""
        name = self._name
        if name == "recipe":
            return replace(self, recipe=turned(NAMED[name], self.recipe, steps))
        value = self._value(name)
        changed = replace(self.choices, **{name: _changed(name, value, steps)})
        if name == "method" and changed.method != "iterative":
            changed = replace(changed, rounds=None)
        if name == "rounds" and self._value("method") != "iterative":
            changed = replace(self.choices, method="iterative")
        return replace(self, choices=changed)

    def reset(self) -> Choosing:
        """With the chosen row as the recipe has it."""
        if self._name == "recipe":
            return replace(self, choices=NO_CHOICES)
        names = ("method", "rounds") if self._name == "method" else (self._name,)
        return replace(self, choices=replace(self.choices, **dict.fromkeys(names)))

    @property
    def _name(self) -> str:
        return tuple(TITLES)[self.at]

    @property
    def _fitted(self) -> Recipe:
        """The recipe, its batches fitted to the images."""
        recipe = recipe_named(self.recipe)
        return replace(recipe, finetune=recipe.finetune.within(self.image_values))

    def _row(self, name: str) -> Row:
        own = None if name == "recipe" else _of_recipe(self._fitted, name)
        changed = name != "recipe" and (
            getattr(self.choices, name) is not None or self._value(name) != own
        )
        return Row(
            name,
            TITLES[name],
            _shown(self._value(name)),
            self._meaning(name),
            changed,
            self._is_idle(name),
        )

    def _is_idle(self, name: str) -> bool:
        if name == "smoothing":
            return bool(self._value("loss") != "cross-entropy")
        return name == "rounds" and self._value("method") != "iterative"

    def _meaning(self, name: str) -> str:
        return _SAID.get(str(self._value(name))) or MEANINGS[name]

    def _value(self, name: str) -> Any:
        """What is in force, whether chosen or the recipe's."""
        if name == "recipe":
            return self.recipe
        recipe, chosen = self._fitted, getattr(self.choices, name)
        if name == "method":
            return self.choices.method_with(recipe)
        if chosen is not None:
            return chosen
        optimizer = self.choices.optimizer or recipe.finetune.optimizer
        return _of_recipe(replace(recipe, finetune=recipe.finetune.by(optimizer, None)), name)


def _of_recipe(recipe: Recipe, name: str) -> Any:
    match name:
        case "epochs" | "lr" | "l1" | "optimizer" | "batch_size" | "loss" | "smoothing":
            return getattr(recipe.finetune, name)
        case "l2":
            return recipe.finetune.weight_decay
        case "rounds":
            return NO_CHOICES.applied_to(replace(recipe, method="iterative")).rounds
        case _:
            return getattr(recipe, name)


def _changed(name: str, value: Any, steps: int) -> Any:
    match name:
        case _ if name in NAMED:
            return turned(NAMED[name], value, steps)
        case "scale_dropout" | "rewind":
            return not value
        case "epochs":
            return min(max(value + steps, 1), MOST_EPOCHS)
        case "rounds":
            return min(max(value + steps, 2), MOST_ROUNDS)
        case "batch_size":
            return int(along(BATCHES, value, steps))
        case _:
            return along(SERIES_OF.get(name, STRENGTHS), value, steps)


def turned(options: Sequence[str], value: str, steps: int) -> str:
    """The option so many steps on, from the last to the first again."""
    return options[(options.index(value) + steps) % len(options)]


def along(series: Sequence[float], value: float, steps: int) -> float:
    """The member of a rising series that is so many steps beyond a value, which may lie between."""
    slack = 1e-9 * value
    below = sum(member < value - slack for member in series)
    between = not any(abs(member - value) <= slack for member in series)
    place = below + steps - (between and steps > 0)
    return float(series[min(max(place, 0), len(series) - 1)])


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
