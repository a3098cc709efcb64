"""The command `demo`: the program plays its own story on the real net."""

from __future__ import annotations

import shutil
import tempfile
from argparse import Namespace
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.experiments.experiment import Experiment
from core.settings.settings import SETTINGS
from tui.cli import checks, read_options
from tui.cli.add_options import DEMO_SETTINGS
from tui.cli.commands.app import Program, has_terminal
from tui.cli.streams import tell

if TYPE_CHECKING:
    from tui.demo.app import DemoApp
    from tui.jobs.backend import Backend


def prepare(args: Namespace) -> Demo:
    """Check the options; raises InputError."""
    _check_others(args)
    settings = read_options.settings_of(args)
    if not has_terminal():
        raise InputError("the demo needs a terminal: its input and output must not be redirected")
    checks.check_settings(settings)
    folder = _new_folder()
    experiment = Experiment(folder / "runs")
    preferences = read_options.preferences_of(args)
    return Demo(settings, experiment, preferences, folder, args.pace, args.loop)


def _new_folder() -> Path:
    """A temporary folder; raises InputError if none can be created."""
    try:
        return Path(tempfile.mkdtemp(prefix="featherweight-demo-"))
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"no folder for the demo's files: {why}; TMPDIR names another") from error


def _check_others(args: Namespace) -> None:
    """Refuse settings of another story, which the program takes before its command."""
    given = {name: value for name, value in vars(args).items() if name in SETTINGS}
    others = [SETTINGS[name].given(given[name]) for name in given if name not in DEMO_SETTINGS]
    if "experiment" in args:
        others.append("--experiment")
    if others:
        raise InputError(f"the demo plays on the included net: remove {' '.join(others)}")


@dataclass(frozen=True)
class Demo(Program):
    """The app that plays itself, with its options checked.

    Attributes:
        folder: where it records and exports; nothing is written to the user's experiments.
    """

    folder: Path = Path()
    pace: float = 1.0
    loops: bool = False

    def app(self, backend: Backend) -> DemoApp:
        """The app to run."""
        from tui.demo.app import DemoApp
        from tui.demo.script import RECIPE

        backend.settings = replace(backend.settings, changes=RECIPE)
        return DemoApp(backend, self.folder, self.preferences, pace=self.pace, loops=self.loops)

    def leave(self) -> None:
        """Say where the demo's files are, if there are any."""
        if any(self.folder.iterdir()):
            tell(f"the demo's runs and files are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
