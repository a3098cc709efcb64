"""`featherweight` alone: open the app, or run its default job if there is no terminal."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.experiments.experiment import Experiment
from core.pruning.presets import default_preset
from core.settings.settings import Settings
from tui.cli import checks, read_options
from tui.cli.add_options import add_command_options
from tui.cli.command import Command
from tui.cli.commands import run
from tui.cli.streams import Guarded, tell
from tui.system.interruption import Interruption
from tui.text.encodings import cells, replace_missing
from tui.web.driver import is_served

if TYPE_CHECKING:
    from tui.app import FeatherweightApp
    from tui.jobs.backend import Backend
    from tui.jobs.job import Job

LEAVE_SECONDS = 0.5
"""How long a job may clean up when the user quits."""


def prepare(args: Namespace) -> Program | Command[Any]:
    """Check the options; raises InputError."""
    settings = read_options.settings_of(args)
    check_theme(args.theme)
    if has_terminal():
        checks.check_settings(settings)
        return Program(settings, checks.experiment_for(args, settings), args.theme)
    preset = default_preset(settings.model)
    parser = ArgumentParser()
    add_command_options(parser, "run")
    job = run.prepare(parser.parse_args(["--preset", preset], args))
    same_command = f"featherweight run --preset {preset} --recipe {settings.recipe}"
    return replace(job, notice=f"no terminal, running instead: {same_command}")


def check_theme(name: str | None) -> None:
    """Raise InputError if there is no such theme."""
    if name is None:
        return
    from textual.theme import BUILTIN_THEMES

    if name not in BUILTIN_THEMES:
        names = ", ".join(sorted(BUILTIN_THEMES))
        raise InputError(f"unknown theme '{name}': expected one of {names}")


@dataclass(frozen=True)
class Program:
    """The app, with its options checked."""

    settings: Settings
    experiment: Experiment
    theme: str | None

    def app(self, backend: Backend) -> FeatherweightApp:
        """The app to run."""
        from tui.app import FeatherweightApp

        return FeatherweightApp(backend)

    def leave(self) -> None:
        """Called once the app is closed."""

    def perform(self, interruption: Interruption) -> int:
        """Open it, and return its exit status once it is closed."""
        from tui.jobs.backend import Backend
        from tui.system.error_log import log_error

        if not is_served():
            terminal = sys.__stderr__ if sys.stderr.isatty() else sys.__stdout__
            assert terminal is not None  # see `has_terminal`
            vars(sys)["__stderr__"] = Guarded(terminal)  # Textual draws there
            replace_missing(terminal, cells)
        program = self.app(Backend(self.settings, self.experiment))
        if self.theme is not None:
            program.theme = self.theme
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
    """Whether stdin and stdout are a terminal that can move its cursor, or a browser's page."""
    if is_served():
        return True
    drawable = os.environ.get("TERM") != "dumb"
    return drawable and sys.stdin.isatty() and sys.stdout.isatty()
