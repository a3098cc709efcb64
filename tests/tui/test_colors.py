"""Every role has a color in one file."""

from __future__ import annotations

import re
from pathlib import Path

import tui
from tui.text.lines import ROLES


def test_every_role_and_no_other_has_a_color() -> None:
    colors = (Path(tui.__file__).parent / "colors.tcss").read_text(encoding="utf-8")
    assert set(re.findall(r"\.role--([\w-]+)", colors)) == set(ROLES)
    assert len(set(ROLES)) == len(ROLES)


def test_every_role_is_used() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(tui.__file__).parent.rglob("*.py")
        if path.name != "lines.py"
    )
    assert [role for role in ROLES if f'"{role}"' not in source] == []
