"""The command `data fetch`: download a data set into the cache and verify it."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.console import Console

from core.data.loading import fetch
from core.data.registry import describe, is_folder
from core.errors import InputError
from tui.cli.checks import check_data_dir
from tui.cli.command import Command
from tui.cli.read_options import preferences_of


def prepare(args: Namespace) -> Command[Path]:
    """Check the options; raises InputError."""
    if is_folder(args.name):
        raise InputError(f"{args.name} is a folder of yours: it needs no fetching")
    describe(args.name)
    folder: Path | None = getattr(args, "data_dir", preferences_of(args).settings.get("data_dir"))
    check_data_dir(folder)

    def show(path: Path, console: Console) -> dict[str, Any]:
        console.print(f"{args.name} is in {path}")
        return {}

    return Command(lambda stop: fetch(args.name, folder, stop), show)
