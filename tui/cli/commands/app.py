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
from tui.cli.streams import Guarded, tell
from tui.preferences.declared import Preferences
from tui.preferences.first_start import is_first_start
from tui.system.garbage import importing
from tui.system.interruption import Interruption
from tui.system.output import Output
from tui.text.encodings import replace_missing
from tui.text.glyphs import ascii_cells
from tui.web.driver import is_served

if TYPE_CHECKING:
    from tui.app import FeatherweightApp
    from tui.cli.command import Command
    from tui.jobs.backend import Backend
    from tui.jobs.job import Job

LEAVE_SECONDS = 0.5
"""How long a job may clean up when the user quits."""


def prepare(args: Namespace) -> Program | Command[Any]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args)
    preferences = read_options.preferences_of(args)
    if has_terminal():
        checks.check_settings(settings)
        return Program(settings, checks.experiment_for(args, settings), preferences)
    from tui.cli.commands import run  # late: the program has no progress bar

    read_options.tell_problems(preferences)
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

    def app(self, backend: Backend) -> FeatherweightApp:
        """The app to run."""
        from tui.app import FeatherweightApp

        program = FeatherweightApp(backend, self.preferences)
        program.shows_tour = self.preferences.tour and is_first_start()
        return program

    def leave(self) -> None:
        """Called once the app is closed."""

    def perform(self, interruption: Interruption) -> int:
        """Open it, and return its exit status once it is closed."""
        from tui.jobs.backend import Backend
        from tui.looks.terminal import Look, look_of
        from tui.looks.themes import DEFAULT
        from tui.system.error_log import log_error

        preferences = self.preferences
        with importing():
            program = self.app(Backend(self.settings, self.experiment))
        if is_served():
            program.put_on(Look(preferences.theme or DEFAULT, ascii_only=bool(preferences.ascii)))
        else:
            terminal = sys.__stderr__ if sys.stderr.isatty() else sys.__stdout__
            assert terminal is not None  # see `has_terminal`
            output = vars(sys)["__stderr__"] = Output(Guarded(terminal))  # Textual draws there
            replace_missing(terminal, ascii_cells)
            look = look_of(
                os.environ,
                encoding=terminal.encoding,
                color_system=program.console.color_system,
                theme=preferences.theme,
                ascii_only=preferences.ascii,
            )
            program.put_on(look)
            program.output = output
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
        self.leave()
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


def has_terminal() -> bool:
    """Whether stdin and stdout are a terminal, or a browser's page.

    Raises InputError if it is a terminal that cannot show the program.
    """
    if is_served():
        return True
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if is_terminal:
        from tui.looks.terminal import check_terminal  # late: it loads Textual

        check_terminal(os.environ)
    return is_terminal
