"""Recipes to share: sparsities and settings written to a small TOML file, and read from one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from core.data.inputs import Inputs
from core.errors import InputError
from core.fields.declaration import settings_in
from core.pruning.plans import Plan
from core.settings.recipe_file import CHANGES, Config, read_config, write_config
from core.settings.settings import Settings
from tui.screens.dialogs import Question
from tui.screens.path import PathScreen, check_folder, path_of
from tui.session import Session
from tui.views.activity import Outcome

WHAT = "sparsities and how to fine-tune, as TOML that a person can read and edit"


class Sharing(Session):
    """The keys `w` and `o`."""

    recipe_path = "recipe.toml"

    def action_write_recipe(self) -> None:
        """Ask for a file, and write to it."""
        screen = PathScreen("Write a recipe to", self.recipe_path, WHAT, check=check_folder)
        self.push_screen(screen, self._write_to)

    def action_open_recipe(self) -> None:
        """Ask for a file, and take what it says."""
        screen = PathScreen("Open a recipe", self.recipe_path, WHAT, check=self._read)
        self.push_screen(screen, self._take_from)

    def _write_to(self, text: str | None) -> None:
        if text is None:
            return
        self.recipe_path, path = text, path_of(text)
        if not os.path.lexists(path):
            self._write(path)
            return
        question = Question(f"{text} is there already. Replace it?", "replace")
        self.push_screen(question, lambda yes: self._write(path) if yes else None)

    def _write(self, path: Path) -> None:
        try:
            write_config(path, self.state.settings, self.state.planned)
            self.say(Outcome(f"written to {path}", f"featherweight run --config {path}"))
        except InputError as error:
            self.say(Outcome(str(error), "nothing was written", role="error"))
        self.show(self.state)

    def _read(self, text: str) -> tuple[Settings, Plan | None]:
        """What a file says over what is chosen; raises InputError for one that cannot be taken."""
        config = read_config(path_of(text))
        return taken(config, self.state.settings), config.checked_plan(self.state.layer_names)

    def _take_from(self, text: str | None) -> None:
        if text is None:
            return
        self.recipe_path = text
        try:
            self.state = self.state.set_recipe(*self._read(text))
        except InputError as error:  # it has changed in the moment since it was checked
            self.say(Outcome(str(error), "nothing has changed", role="error"))
        else:
            detail = "u takes it back; c shows how it fine-tunes"
            self.say(Outcome(f"taken from {text}", detail, passing=True))
        self.show(self.state)


def taken(config: Config, here: Settings) -> Settings:
    """The settings here, with the recipe, the changes to it and the seed that a file gives.

    A file that gives any of the recipe gives all of it, as with `run --config`.

    Raises:
        InputError: the file is for another net, other data or another protocol, for images of
            another size, or its choices contradict each other.
    """
    for name in ("model", "dataset", "protocol"):
        given = config.given.get(name, getattr(here, name))
        if given != getattr(here, name):
            raise InputError(
                f"this recipe is for the {name} '{given}', not '{getattr(here, name)}': "
                f"start featherweight with --{name} {given}"
            )
    given = {name: config.given[name] for name in settings_in(Inputs) if name in config.given}
    if (inputs := Inputs(**{**here.inputs.given(), **given})) != here.inputs:
        raise InputError(
            f"this recipe is for other images: start featherweight with {inputs.flags}"
        )
    there, seed = config.settings, config.given.get("seed", here.seed)
    if config.given.keys() & {"recipe", *CHANGES}:
        here = replace(here, recipe=there.recipe, choices=there.choices)
    return replace(here, seed=seed)
