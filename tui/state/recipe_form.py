"""The recipe form: what its rows show, and how keys change them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.errors import InputError
from core.fields.declaration import Setting, settings_in
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.settings.settings import SETTINGS, Settings
from core.training.recipes import Recipe, TrainingSize, recipe_named
from tui.keys.keymap import with_keys

_REPAIRS = ("recalibrate", "repair")
"""Settings beside the recipe, of what is measured before any fine-tuning."""

ROWS = {
    "recipe": SETTINGS["recipe"],
    **settings_in(RecipeChanges),
    **{name: SETTINGS[name] for name in _REPAIRS},
}

_PRUNING = ("method", "criterion", "rounds", "scale_dropout", "rewind", "reconstruct", "distill")
"""Settings without effect on dense training."""

NEEDS = {
    "smoothing": ("loss", "cross-entropy"),
    "distill": ("loss", "cross-entropy"),
    "rounds": ("method", "iterative"),
}
"""Settings that have an effect only with a value of another setting; changing one selects it."""


@dataclass(frozen=True, slots=True)
class FormRow:
    """A row of a form.

    Attributes:
        name: the setting's name.
        changed: whether it differs from the recipe.
        idle: whether the other values disable it.
    """

    name: str
    title: str
    value: str
    meaning: str
    changed: bool
    idle: bool


@dataclass(frozen=True, slots=True)
class RecipeForm:
    """A recipe and changes to it, while being edited.

    Attributes:
        at: the index of the selected row.
        trains: whether it is for a dense training, which has no settings of pruning.
        rewindable: whether the net has early weights to rewind to.
        size: of the training set, which the recipe is fitted to; None if unknown.
        recalibrate: the setting; None for a net without running statistics, which has no such row.
        repair: the setting; None leaves out its row.
    """

    recipe: str
    changes: RecipeChanges = NO_CHANGES
    at: int = 0
    trains: bool = False
    rewindable: bool = True
    size: TrainingSize | None = None
    recalibrate: str | None = None
    repair: str | None = None

    def applied_to(self, settings: Settings) -> Settings:
        """Settings with what was chosen."""
        repairs = {name: value for name in _REPAIRS if (value := getattr(self, name)) is not None}
        return replace(settings, recipe=self.recipe, changes=self.changes, **repairs)

    @property
    def problem(self) -> str:
        """Why this cannot be applied; empty if it can."""
        try:
            recipe = self.changes.applied_to(recipe_named(self.recipe))
        except InputError as error:
            return str(error)
        if not recipe.epochs:
            return with_keys("0 epochs train nothing; {prune} and {reconstruct} only measure")
        if recipe.rewind and not self.rewindable:
            return with_keys(
                "rewinding needs early weights, which this net lacks; Esc, then {train} to train"
            )
        return ""

    @property
    def chosen(self) -> Recipe:
        """The recipe with the changes."""
        return self.changes.applied_to(self._fitted)

    def rows(self) -> tuple[FormRow, ...]:
        """All rows, in order."""
        return tuple(self._row(name) for name in self._names)

    def move(self, steps: int) -> RecipeForm:
        """With another row selected; stops at either end."""
        return replace(self, at=min(max(self.at + steps, 0), len(self._names) - 1))

    def change(self, steps: int) -> RecipeForm:
        """With the selected row's value moved by `steps`."""
        name = self._name
        value = ROWS[name].kind.step(self._value(name), steps)
        if name == "recipe" or name in _REPAIRS:
            return self._replaced(name, value)
        if self._is_idle(name):
            name, value = NEEDS[name]
        return self._with(name, value)

    @property
    def setting(self) -> Setting:
        """The setting of the selected row."""
        return ROWS[self._name]

    def typed(self, text: str) -> RecipeForm:
        """With the selected row's value as typed; raises InputError if it is not accepted."""
        name = self._name
        value = ROWS[name].kind.parse(text)
        form = self._with(*NEEDS[name]) if self._is_idle(name) else self
        return form._with(name, value)

    def reset(self) -> RecipeForm:
        """With the selected row reset to the recipe."""
        if self._name == "recipe":
            return replace(self, changes=NO_CHANGES)
        if self._name in _REPAIRS:
            return self._replaced(self._name, SETTINGS[self._name].default)
        return self._with(self._name, None)

    def _replaced(self, name: str, value: str) -> RecipeForm:
        """With another value of a row that is no change to the recipe."""
        values: dict[str, Any] = {name: value}
        return replace(self, **values)

    def _with(self, name: str, value: Any) -> RecipeForm:
        """With another change; the settings that lose their effect by it are reset."""
        shown = _in_recipe(self._fitted, name) if value is None else value
        idle = (other for other, need in NEEDS.items() if need[0] == name and need[1] != shown)
        changes = {**dict.fromkeys(idle), name: value}
        return replace(self, changes=replace(self.changes, **changes))

    def _is_idle(self, name: str) -> bool:
        return name in NEEDS and self._value(NEEDS[name][0]) != NEEDS[name][1]

    @property
    def _name(self) -> str:
        return self._names[self.at]

    @property
    def _names(self) -> tuple[str, ...]:
        """The settings with a row, in order."""
        without = [name for name in _REPAIRS if getattr(self, name) is None]
        without += _PRUNING if self.trains else ()
        return tuple(name for name in ROWS if name not in without)

    @property
    def _fitted(self) -> Recipe:
        """The recipe, fitted to the training images; for dense training, with its phase."""
        recipe = recipe_named(self.recipe)
        recipe = recipe if self.size is None else recipe.fitted_to(self.size)
        return replace(recipe, finetune=recipe.dense) if self.trains else recipe

    def _row(self, name: str) -> FormRow:
        declared, value = ROWS[name], self._value(name)
        changed = name != "recipe" and self._is_changed(name, value)
        meaning = declared.kind.meanings.get(value) or declared.meaning
        shown = declared.kind.shown(value)
        return FormRow(name, declared.label or name, shown, meaning, changed, self._is_idle(name))

    def _is_changed(self, name: str, value: Any) -> bool:
        if name in _REPAIRS:
            return bool(value != SETTINGS[name].default)
        return getattr(self.changes, name) is not None or value != _in_recipe(self._fitted, name)

    def _value(self, name: str) -> Any:
        """The current value: the choice, or the recipe's."""
        if name == "recipe" or name in _REPAIRS:
            return getattr(self, name)
        recipe, chosen = self._fitted, getattr(self.changes, name)
        if name == "method":
            return self.changes.method_with(recipe)
        if chosen is not None:
            return chosen
        optimizer = self.changes.optimizer or recipe.finetune.optimizer
        finetune = recipe.finetune.with_optimizer(optimizer, None)
        return _in_recipe(replace(recipe, finetune=finetune), name)


def _in_recipe(recipe: Recipe, name: str) -> Any:
    """A recipe's value for a setting of `RecipeChanges`."""
    match name:
        case "l2":
            return recipe.finetune.weight_decay
        case "rounds":
            return NO_CHANGES.applied_to(replace(recipe, method="iterative")).rounds
        case "method" | "criterion" | "scale_dropout" | "rewind" | "reconstruct" | "distill":
            return getattr(recipe, name)
        case _:
            return getattr(recipe.finetune, name)
