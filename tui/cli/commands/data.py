"""The command `data fetch`: fetch a data set into the cache and check it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from rich.console import Console

from core.data import describe, fetch
from core.system.files import check_writable_folder
from tui.cli.command import Command


def prepare(given: Namespace) -> Command[Path]:
    """Check the options; raises InputError."""
    describe(given.name)
    folder: Path | None = getattr(given, "data_dir", None)
    if folder is not None:
        check_writable_folder(folder, "--data-dir")

    def show(found: Path, console: Console) -> dict[str, Any]:
        console.print(f"{given.name} is in {found}", markup=False)
        return {}

    return Command(lambda stop: fetch(given.name, folder, stop), show)
