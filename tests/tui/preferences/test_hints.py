"""Hints name actions, whose keys a person may change: `{fine-tune} to fine-tune`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import tui
from tui.demo.facts import FACTS
from tui.keys.keymap import SCREENS

KEY = r"(?:[b-zA-Z*=?]|Space|Backspace|Delete)"
SIGN = r"(?:[+=*/<>-]|[a-zA-Z])"
VERBS = r"(?:to|again|stops?|starts?|quits|fine-tunes|trains|shows|undoes|resumes|deletes)"
WRITTEN_OUT = (
    re.compile(rf"(?:^|[ (·;,:]){KEY} {VERBS} "),
    re.compile(rf"(?:^|· |, |or ){KEY}: [a-z]"),
    re.compile(rf"\({KEY}\)|press {KEY}\b"),
    re.compile(rf"[:;,] {KEY}$|(?:^|[ (]){SIGN} (?:and|or) {SIGN} "),
)
"""Keys as people write them in hints: `f to fine-tune`, `?: help`, `(h)`, `press s`, `later: h`."""

ROOT = Path(tui.__file__).parent
HINTING = [
    path
    for path in ROOT.rglob("*.py")
    if path.relative_to(ROOT).parts[0] not in ("cli", "keys", "web")
]


def texts_in(path: Path) -> Iterator[str]:
    """The texts of a module, without its docstrings; an ellipsis for what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [*ast.walk(tree)]
    skipped = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            skipped |= set(node.values)
            parts = (each.value if isinstance(each, ast.Constant) else "…" for each in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node in skipped:
                continue
            yield node.value


TEXTS = [(path.name, text) for path in HINTING for text in texts_in(path)]


def test_no_hint_writes_a_key_out():
    assert not [each for each in TEXTS if any(key.search(each[1]) for key in WRITTEN_OUT)]


def test_every_action_that_a_hint_names_exists():
    known = {key.full_id for keys in SCREENS.values() for key in keys} | {*FACTS}
    named = {name for _, text in TEXTS for name in re.findall(r"\{([a-z][a-z0-9.-]+)\}", text)}
    assert named & known
    assert named <= known
