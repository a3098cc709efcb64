"""Standard output and error: whatever happens to them, the command ends as it should."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest

import tui
from tests.terminal.terminal import FEATHERWEIGHT

FULL = "cannot write to standard output: No space left on device"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line in which `fw` stands for the command."""
    return subprocess.run(
        ["bash", "-c", f'fw() {{ exec {FEATHERWEIGHT} "$@"; }}; {line}'],
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "0", **environment},
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("(fw --help) > /dev/full", 1, f"featherweight: {FULL}\n"),
        ("set -o pipefail; fw run --help | true", 141, ""),
        ("(fw --version) >&-", 0, ""),
        ("(fw --version) >&- 2>&-", 0, ""),
        ("(fw run --seed x) 2> /dev/full", 2, ""),
        ("(fw run --seed x) 2>&-", 2, ""),
        ("(fw scan --json -) >&-", 2, "featherweight: --json -: standard output is closed"),
    ],
)
def test_an_output_that_takes_nothing_is_one_line_or_silence(
    line: str, status: int, said: str
) -> None:
    process = shell(line)
    assert process.returncode == status
    assert process.stderr.startswith(said.encode())
    assert process.stderr.count(b"\n") <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PYTHONIOENCODING": "cp1252"}, b"?\\u6a21\xb1.pt"),
        ({"PYTHONIOENCODING": "ascii"}, b"?\\u6a21+/-.pt"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}, b"??????.pt"),
    ],
)
def test_help_and_errors_print_in_any_encoding(environment: dict[str, str], said: bytes) -> None:
    shown = shell("fw run --help", **environment)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"--uniform S" in shown.stdout
    refused = shell("fw run --weights $'\\xff模±.pt'", **environment)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"featherweight: no weights file at " + said)
    assert refused.stderr.count(b"\n") == 1


def test_one_module_prints_and_another_makes_the_console() -> None:
    """They make text from outside harmless, and survive every encoding and a full disk."""
    calls = {
        (path.name, node.func.id)
        for path in Path(tui.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    printing = {(name, called) for name, called in calls if called in ("print", "Console")}
    assert printing == {("streams.py", "print"), ("settings_table.py", "print")}
