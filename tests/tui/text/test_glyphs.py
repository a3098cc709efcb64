"""Every character has an ASCII one of its width."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import tui
from tui.text.glyphs import ascii_cells

BLOCKS = "".join(map(chr, (*range(0x2500, 0x25A0), *range(0x2800, 0x2900))))
"""Boxes, blocks and braille."""


def test_every_character_of_the_program_is_known() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(tui.__file__).parent.rglob("*.py"))
    used = sorted({char for char in source if not char.isascii() and cell_len(char) == 1})
    assert used
    unknown = [char for char in used if ascii_cells(char) == "?" and char.isprintable()]
    assert [char for char in unknown if not char.isalpha()] == []


@given(
    text=st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=8) | st.text(BLOCKS)
)
def test_texts_become_ascii_of_their_width(text: str) -> None:
    assert ascii_cells(text).isascii()
    narrow = "".join(char for char in text if len(ascii_cells(char)) == cell_len(char))
    assert len(ascii_cells(narrow)) == cell_len(narrow)


@pytest.mark.parametrize(
    ("drawn", "written"),
    [
        ("⠉⠒⠤⣀", "'--_"),  # a line that falls
        ("⡠⠊", "//"),
        ("⠑⢄", "\\\\"),
        ("⡇⢸", "||"),
        ("⣿⣶⠀", ":: "),
        ("▁▃▆█", "_.=#"),
        ("██▌░░", "##=.."),
        ("╭─ Layers ─╮", "+- Layers -+"),
        ("▶ conv1 99.2 ±0.9 → 36.9×", "> conv1 99.2 ~0.9 > 36.9x"),
    ],
)
def test_lines_bars_and_frames_keep_their_shape(drawn: str, written: str) -> None:
    assert ascii_cells(drawn) == written
