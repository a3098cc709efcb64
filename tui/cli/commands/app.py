"""`featherweight` alone: open the app, or run its default job if there is no terminal."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.experiments.experiment import Experiment
from core.pruning.presets import default_preset
from core.settings.settings import Settings
from tui.cli import checks, read_options
from tui.cli.add_options import add_command_options
from tui.cli.command import Command
from tui.cli.commands import run
from tui.cli.streams import Guarded, has_terminal, tell
from tui.preferences.declared import OF_THE_PROGRAM, Preferences
from tui.preferences.first_start import is_first_start
from tui.system.interruption import Interruption
from tui.text.encodings import cells, replace_missing

if TYPE_CHECKING:
    from tui.jobs.job import Job

LEAVE_SECONDS = 0.5
"""How long a job may clean up when the user quits."""


def prepare(args: Namespace) -> Program | Command[Any]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args)
    preferences = read_options.preferences_of(args)
    given = {name: value for name, value in vars(args).items() if name in OF_THE_PROGRAM}
    if has_terminal():
        checks.check_settings(settings)
        experiment = checks.experiment_for(args, settings)
        return Program(settings, experiment, replace(preferences, **given))
    preset = default_preset(settings.model)
    parser = ArgumentParser()
    add_command_options(parser, "run")
    job = run.prepare(parser.parse_args(["--preset", preset], args))
    same_command = f"featherweight run --preset {preset} --recipe {settings.recipe}"
    return replace(job, notice=f"no terminal, running instead: {same_command}")


@dataclass(frozen=True)
class Program:
    """The app, with its options checked."""

    settings: Settings
    experiment: Experiment
    preferences: Preferences

    def perform(self, interruption: Interruption) -> int:
        """Open it, and return its exit status once it is closed."""
        from tui.app import FeatherweightApp
        from tui.jobs.backend import Backend
        from tui.system.error_log import log_error

        terminal = sys.__stderr__ if sys.stderr.isatty() else sys.__stdout__
        assert terminal is not None  # see `has_terminal`
        vars(sys)["__stderr__"] = Guarded(terminal)  # Textual draws there
        replace_missing(terminal, cells)
        program = FeatherweightApp(Backend(self.settings, self.experiment), self.preferences)
        program.shows_tour = self.preferences.tour and is_first_start()
        try:
            with interruption.deferred(program.end, lambda: None):
                program.run()
            problem = program.boundary.fatal
        except Exception as error:
            problem = log_error(error)
        program.saved_plans.autosave.flush()
        status = program.return_code or 0
        if interruption.requests:
            problem, status = "", interruption.status
            _finish(program.session.job, interruption)
        if problem:
            tell(problem)
            status = 1
        if threads := program.session.threads:
            for thread in threads:
                thread.abandon(LEAVE_SECONDS)
            sys.stdout.flush()
            os._exit(status)
        return status


def _finish(job: Job | None, interruption: Interruption) -> None:
    """Say why the app has closed, and wait for the end of its job; a second request ends it."""
    with suppress(KeyboardInterrupt):
        if job is None or len(interruption.requests) > 1:
            tell(interruption.reason)
        else:
            tell(f"{interruption.reason}: stopping the job (once more to quit at once)")
            job.wait()
