"""Recipe files: sparsities and settings written to and read from a small TOML file."""

from dataclasses import replace
from pathlib import Path

from core.data.inputs import Inputs
from core.errors import InputError
from core.fields.declaration import settings_in
from core.pruning.plans import Plan, short_sparsity
from core.settings.recipe_file import CHANGES, Config, read_config, write_config
from core.settings.settings import OF_A_SESSION, SETTINGS, Settings, is_same_setting
from tui.features.feature import Feature, available
from tui.screens.path_dialog import PathDialog
from tui.session import Session
from tui.state.state import State
from tui.system.paths import check_folder, path_of
from tui.views.activity import Outcome

WHAT, HINT = "a recipe file", "a TOML file with the sparsities and settings"


class RecipeFileDialog(PathDialog):
    """Asks for the path of a recipe file."""

    HELP = """
    # A recipe file
    Type the path of a file; Enter takes it, Esc cancels. A recipe file is a small TOML file with
    the sparsities and the settings, to keep or to share: on the command line, run --config takes
    the same file.
    """


class RecipeFiles(Feature):
    """The keys that write a recipe file and open one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._path = "recipe.toml"

    @available()
    def write(self) -> None:
        """Ask for a file, and write to it."""
        screen = RecipeFileDialog("write", self._path, WHAT, HINT, check_folder)
        self.session.ask(screen, self._take_target)

    @available()
    def open(self) -> None:
        """Ask for a file, and apply its contents."""
        screen = RecipeFileDialog("open", self._path, WHAT, HINT, self._read)
        self.session.ask(screen, self._take_source)

    def _take_target(self, text: str) -> None:
        self._path = text
        self.session.write_to(text, self._write_file)

    def _write_file(self, path: Path) -> None:
        try:
            elements = {p.layer.name: p.layer.elements for p in self.state.profiles}
            write_config(path, self.state.settings, self.state.planned, elements)
            outcome = Outcome(f"wrote {path}", f"featherweight run --config {path}")
        except InputError as error:
            outcome = Outcome(str(error), "nothing was written", role="error")
        self.session.show(self.state, outcome)

    def _read(self, text: str) -> tuple[Settings, Plan | None]:
        """The settings and plan of a file; raises InputError if they cannot be applied."""
        config = read_config(path_of(text), OF_A_SESSION)
        plan = config.checked_plan(self.state.layer_names)
        settings = settings_with(config, self.state.settings)
        return settings, plan and _with_exact_sparsities(plan, self.state)

    def _take_source(self, text: str) -> None:
        self._path, state = text, self.state
        try:
            state = state.set_recipe(*self._read(text))
            outcome = Outcome(
                f"opened {text}", "{undo} to undo · {recipe} to show the recipe", transient=True
            )
        except InputError as error:  # the file changed after the dialog checked it
            outcome = Outcome(str(error), "nothing was changed", role="error")
        self.session.show(state, outcome)


def _with_exact_sparsities(plan: Plan, state: State) -> Plan:
    """The plan of a file with the state's own sparsities where the file has them shortened.

    Results belong to the exact ones.
    """
    exact = dict(plan)
    for layer in (profile.layer for profile in state.profiles):
        planned = state.planned[layer.name]
        if plan[layer.name] == short_sparsity(planned, layer.elements):
            exact[layer.name] = planned
    return exact


_TAKEN = ("seed", "recalibrate", "repair")
"""Settings of a file that the session takes, whatever its recipe is."""


def settings_with(config: Config, current: Settings) -> Settings:
    """The current settings with the recipe, the changes to it, the repairs and the seed of a file.

    A file with any part of a recipe replaces the whole recipe, as with `run --config`.

    Raises:
        InputError: the file is for another net, data set, protocol or image size, or its
            changes to the recipe contradict each other.
    """
    for name in OF_A_SESSION:
        own, known = getattr(current, name), SETTINGS[name]
        other = config.values.get(name, own)
        if not is_same_setting(name, other, own):
            raise InputError(
                f"this recipe is for the {known.label} '{other}', not '{own}': "
                f"start featherweight with {known.given(other)}"
            )
    images = {name: config.values[name] for name in settings_in(Inputs) if name in config.values}
    if (inputs := Inputs(**{**current.inputs.explicit_values(), **images})) != current.inputs:
        raise InputError(
            f"this recipe has other image settings: start featherweight with {inputs.flags}"
        )
    settings = config.at(current).merged_with({})
    if config.values.keys() & {"recipe", *CHANGES}:
        current = replace(current, recipe=settings.recipe, changes=settings.changes)
    names = ("seed", "recalibrate", "repair")
    return replace(
        current, **{name: config.values.get(name, getattr(current, name)) for name in names}
    )
