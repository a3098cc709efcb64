"""Every snapshot of a screen belongs to a test; none is left of a deleted one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def _test(picture: Path) -> Path:
    """The test file of a snapshot, without its suffix."""
    return picture.parents[2] / picture.parent.name


def _names(picture: Path) -> tuple[Path, Path]:
    """The test of a snapshot: with its parameters, or without, if that draws several by itself."""
    return _test(picture) / picture.stem, _test(picture) / picture.stem.partition("[")[0]


@pytest.mark.slow
def test_every_snapshot_belongs_to_a_test() -> None:
    """A pytest worker knows only its own tests, so a fresh pytest lists all of them."""
    pictures = set(TESTS.rglob("*.svg"))
    files = {f"{_test(picture)}.py" for picture in pictures}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *sorted(files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tests = [line.split("::") for line in done.stdout.splitlines() if "::" in line]
    known = {Path(file).resolve().with_suffix("") / name for file, name in tests}
    assert pictures
    assert {picture for picture in pictures if not {*_names(picture)} & known} == set()
