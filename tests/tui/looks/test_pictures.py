"""Every snapshot of a screen belongs to a test; none is left of a deleted one."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def _tests(file: Path) -> set[str]:
    """The names of the tests in a file."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if file.exists() else ()
    kinds = ast.FunctionDef, ast.AsyncFunctionDef
    return {node.name for node in nodes if isinstance(node, kinds)}


def test_every_snapshot_belongs_to_a_test() -> None:
    """A test that draws several knows their names itself: the fixture `pictures` checks them."""
    folders = {picture.parent for picture in TESTS.rglob("*.svg")}
    assert folders
    for folder in folders:
        drawn = {picture.stem.partition("[")[0] for picture in folder.glob("*.svg")}
        assert drawn - _tests(folder.parents[1] / f"{folder.name}.py") == set()
