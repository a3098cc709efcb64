"""The command `data fetch`: download a data set into the cache and verify it."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.console import Console

from core.data.loading import fetch
from core.data.registry import describe
from core.system.files import check_writable_folder
from tui.cli.command import Command


def prepare(args: Namespace) -> Command[Path]:
    """Check the options; raises InputError."""
    describe(args.name)
    folder: Path | None = getattr(args, "data_dir", None)
    if folder is not None:
        check_writable_folder(folder, "--data-dir")

    def show(path: Path, console: Console) -> dict[str, Any]:
        console.print(f"{args.name} is in {path}")
        return {}

    return Command(lambda stop: fetch(args.name, folder, stop), show)
