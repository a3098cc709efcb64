"""The table of settings in tui/README.md is generated from the declarations."""

from __future__ import annotations

from pathlib import Path

import tui
from core.settings.settings import SETTINGS
from tui.cli.settings_table import settings_table

README = Path(tui.__file__).with_name("README.md")
BEGIN, END = "<!-- settings -->\n", "<!-- /settings -->"


def test_the_readme_has_the_table_of_the_declarations() -> None:
    """`python -m tui.cli.settings_table` prints what belongs between the marks."""
    text = README.read_text(encoding="utf-8")
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    table = text.partition(BEGIN)[2].partition(END)[0]
    assert table.strip() == settings_table()


def test_every_setting_has_a_row_with_no_empty_cell() -> None:
    _, rule, *rows = (line.strip("| ").split(" | ") for line in settings_table().splitlines())
    assert len(rows) == len(SETTINGS)
    for declared, row in zip(SETTINGS.values(), rows, strict=True):
        assert len(row) == len(rule)
        assert all(row)
        assert declared.flag in row[1]
        assert declared.name in row[0] or not declared.portable
