"""The pictures that snapshots are compared with: none is left of a test that is no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_every_picture_is_a_tests() -> None:
    """Workers know only of the tests that each has run, so pytest is asked for all there are."""
    pictures = {path.relative_to(HERE / "__snapshots__") for path in HERE.rglob("*.svg")}
    files = {str(HERE / f"{picture.parent}.py") for picture in pictures}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *sorted(files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tests = [line.split("::") for line in done.stdout.splitlines() if "::" in line]
    known = {Path(Path(file).stem, f"{name}.svg") for file, name in tests}
    assert pictures
    assert pictures - known == set()
