"""A sweep in a process of its own: started, watched, left, and found again.

In a terminal every sweep is such a process, and the terminal only watches it.
"""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.events import StopFlag, Stream
from core.experiments.experiment import (
    Experiment,
    default_root,
    experiment_folder,
    experiment_names,
)
from core.sweep.live.events import SweepResult
from core.sweep.live.folder import SweepFolder, newest_sweep
from core.sweep.live.process import SweepProcess
from core.sweep.live.watching import watch, with_records
from core.sweep.summary import sweep_report
from tui.cli import checks
from tui.cli.command import Command
from tui.cli.console import console_for
from tui.cli.number_table import terminal_width
from tui.cli.sweeps.options import grid_of
from tui.cli.sweeps.printing import print_sweep
from tui.cli.sweeps.watcher import Watcher
from tui.system.interruption import Interruption
from tui.system.own_process import own_command

Watched = SweepResult | None
"""How a sweep ended; None if it was left."""


def has_terminal(json: str | None) -> bool:
    """Whether a person watches what a command prints."""
    return terminal_width(console_for(json)) is not None


def start_apart(args: Namespace, experiment: Experiment, preview: str) -> Command[Watched] | None:
    """A sweep in a process of its own, which is watched here, or left with --detach.

    Returns None if its files cannot be written, and need not be.

    Raises InputError if they cannot be written, but must be.
    """
    prints_report = args.json == "-"
    if args.detach and prints_report:
        why = "the report is written when the sweep ends; give the path of a file"
        raise InputError(f"--detach --json -: {why}")
    try:
        folder = SweepFolder.claim(experiment.folder)
    except InputError:
        if args.detach or experiment.required:
            raise
        return None
    watcher = Watcher(folder, is_new=True)
    started = list[SweepProcess]()

    def work(stop: StopFlag) -> Stream[Watched]:
        process = SweepProcess.start(own_command(_words_of_process(args)), folder)
        started.append(process)
        step = "starting" if args.on is None else f"connecting to the cluster {args.on}"
        left = yield from process.begin(stop, watcher.pause, step)
        if left or args.detach:
            return None
        return (yield from watch(folder, stop, watcher.pause))

    def end() -> None:
        for process in started:
            process.end()

    json = "-" if prints_report else None  # a file is written by the process of the sweep
    return _Apart(work, _show(folder, json), json, preview, watcher.drive, at_once=end)


def attach(args: Namespace) -> Command[Watched]:
    """Watch a sweep that was started before; raises InputError if there is none."""
    if args.detach:
        raise InputError("--attach watches a sweep and --detach starts one: give one of them")
    checks.check_output(args.json)
    experiment = _experiment(args)
    folder = newest_sweep(experiment)
    if folder is None:
        raise InputError(f"no sweep in {experiment}: start one with featherweight sweep")
    watcher = Watcher(folder, is_new=False)

    def work(stop: StopFlag) -> Stream[Watched]:
        return (yield from watch(folder, stop, watcher.pause))

    return _Attached(
        work, _show(folder, args.json), args.json, drive=watcher.drive, watcher=watcher
    )


@dataclass(frozen=True)
class _Apart(Command[Watched]):
    """Watches a sweep of its own.

    Attributes:
        at_once: ends its process, if it is to end at once.
    """

    at_once: Callable[[], None] = lambda: None

    def perform(self, interruption: Interruption) -> int:
        try:
            return super().perform(interruption)
        except KeyboardInterrupt:
            self.at_once()
            raise


@dataclass(frozen=True, kw_only=True)
class _Attached(Command[Watched]):
    """Watches a sweep that someone else started: only Ctrl+C stops it, a closed terminal leaves."""

    watcher: Watcher

    def perform(self, interruption: Interruption) -> int:
        self.watcher.leaves = lambda: interruption.requests[:1] not in ([], [SIGINT])
        return super().perform(interruption)


def _show(folder: SweepFolder, json: str | None) -> Callable[[Watched, Console], Mapping[str, Any]]:
    """How a command prints the result of a sweep it has watched, and makes the report."""

    def show(result: Watched, console: Console) -> Mapping[str, Any]:
        where = {"experiment": str(folder.experiment)}
        if result is None:
            name = shlex.quote(_name_of(folder.experiment))
            console.print(f"the sweep keeps running; watch it: featherweight sweep --attach {name}")
            return where
        print_sweep(result, folder.experiment, console)
        if json is not None:
            result = with_records(result, Experiment(folder.experiment))
        return {**sweep_report(result), **where}

    return show


def _words_of_process(args: Namespace) -> list[str]:
    """The words of the command for the process of the sweep, which runs it and prints nothing."""
    words = [word for word in args.words if word not in ("--detach", "--json=-")]
    if args.json == "-" and "--json" in words:
        place = words.index("--json")
        del words[place : place + 2]
    return words


def _experiment(args: Namespace) -> Path:
    """The folder of the experiment to look in; without a name, where a sweep runs, if one does.

    Raises InputError if sweeps run in several.
    """
    if args.attach:
        return experiment_folder(args.attach, "")
    if not any(vars(args).get(name) for name in ("experiment", "config", "model", "dataset")):
        folders = [experiment_folder(None, name) for name in experiment_names()]
        running = [folder for folder in folders if _has_running(folder)]
        if len(running) > 1:
            names = [folder.name for folder in running]
            raise InputError(f"sweeps run in {', '.join(names)}: name one, --attach {names[0]}")
        if running:
            return running[0]
    _, trials = grid_of(args)
    return checks.experiment_for(args, trials[0].settings).folder


def _has_running(experiment: Path) -> bool:
    sweep = newest_sweep(experiment)
    return sweep is not None and sweep.is_running


def _name_of(folder: Path) -> str:
    """An experiment as a person names it."""
    return folder.name if folder.parent == default_root() else str(folder)
