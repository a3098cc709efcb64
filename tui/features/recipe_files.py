"""Recipe files: sparsities and settings written to and read from a small TOML file."""

import os
from dataclasses import replace
from pathlib import Path

from core.data.inputs import Inputs
from core.errors import InputError
from core.fields.declaration import settings_in
from core.pruning.plans import Plan
from core.settings.recipe_file import CHANGES, Config, read_config, write_config
from core.settings.settings import Settings
from tui.features.availability import available
from tui.screens.path_dialog import PathDialog
from tui.screens.question import Question
from tui.session import Session
from tui.text.paths import check_folder, path_of
from tui.views.activity import Outcome

WHAT = "sparsities and recipe, as a readable TOML file"


class RecipeFiles:
    """The keys that write a recipe file and open one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._path = "recipe.toml"

    @available()
    def write(self) -> None:
        """Ask for a file, and write to it."""
        screen = PathDialog("Write a recipe file", self._path, WHAT, check=check_folder)
        self.session.ask(screen, self._take_target)

    @available()
    def open(self) -> None:
        """Ask for a file, and apply its contents."""
        screen = PathDialog("Open a recipe file", self._path, WHAT, check=self._read)
        self.session.ask(screen, self._take_source)

    def _take_target(self, text: str | None) -> None:
        if text is None:
            return
        self._path, path = text, path_of(text)
        if not os.path.lexists(path):
            self._write_file(path)
            return
        question = Question(f"{text} already exists. Replace it?", "replace")
        self.session.ask(question, lambda yes: self._write_file(path) if yes else None)

    def _write_file(self, path: Path) -> None:
        session = self.session
        try:
            write_config(path, session.state.settings, session.state.planned)
            session.say(Outcome(f"wrote {path}", f"featherweight run --config {path}"))
        except InputError as error:
            session.say(Outcome(str(error), "nothing was written", role="error"))
        session.show(session.state)

    def _read(self, text: str) -> tuple[Settings, Plan | None]:
        """The settings and plan of a file; raises InputError if they cannot be applied."""
        config, state = read_config(path_of(text)), self.session.state
        return taken(config, state.settings), config.checked_plan(state.layer_names)

    def _take_source(self, text: str | None) -> None:
        if text is None:
            return
        self._path, session = text, self.session
        try:
            session.state = session.state.set_recipe(*self._read(text))
        except InputError as error:  # it has changed in the moment since it was checked
            session.say(Outcome(str(error), "nothing has changed", role="error"))
        else:
            detail = "u undoes it; c shows the recipe"
            session.say(Outcome(f"opened {text}", detail, passing=True))
        session.show(session.state)


def taken(config: Config, here: Settings) -> Settings:
    """The settings here, with the recipe, the changes to it and the seed that a file gives.

    A file that gives any of the recipe gives all of it, as with `run --config`.

    Raises:
        InputError: the file is for another net, data set, protocol or image size, or its choices
            contradict each other.
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
