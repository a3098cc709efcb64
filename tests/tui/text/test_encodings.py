"""Text in encodings that lack some of its characters."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text.encodings import in_encoding, readable, replace_missing
from tui.text.glyphs import ascii_cells

OURS = "cnn5 → 60x, 93.1 ±0.9 – 3×3 … ∞x"
ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "shift-jis", "utf-8")


def written(text: str, encoding: str, *by: object) -> str:
    """What a reader of the stream finds."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    replace_missing(stream, *by)
    stream.write(text)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_our_own_characters_become_readable_ascii() -> None:
    assert written(OURS, "ascii") == "cnn5 -> 60x, 93.1 +/-0.9 - 3x3 ... infx"
    assert written(OURS, "cp1252") == "cnn5 -> 60x, 93.1 ±0.9 – 3×3 … infx"
    assert written(OURS, "utf-8") == OURS


def test_other_characters_become_escapes_that_tell_them_apart() -> None:
    assert written("模型", "latin-1") == r"\u6a21\u578b"


@pytest.mark.parametrize("by", [readable, ascii_cells])
@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text(max_size=20))
def test_every_text_can_be_written(by: object, encoding: str, text: str) -> None:
    plain = text.replace("\r", "").replace("\n", "")
    assert written(plain, encoding, by) is not None


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_text_of_a_table_is_known_before_it_is_aligned(encoding: str) -> None:
    assert in_encoding(OURS, encoding) == written(OURS, encoding)


def test_the_app_has_one_ascii_character_for_each_cell() -> None:
    screen = "┌─▶ conv1 █▒⣿⠀ 9±1 層 e\u0301 → ✗"
    assert written(screen, "ascii", ascii_cells) == "+-> conv1 #::  9~1 ?? e > x"
