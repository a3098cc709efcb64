"""Plots as pictures: every character has its place and its color."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tui.plots.export.glyphs import Box, Dot, Polygon, shapes
from tui.plots.export.picture import CellStyle, Picture, mixed
from tui.plots.export.png import write_png
from tui.plots.export.svg import svg
from tui.text.lines import Span

RED, BLACK, WHITE = (255, 0, 0), (0, 0, 0), (255, 255, 255)
STYLES = {
    "plain": CellStyle(WHITE),
    "chosen": CellStyle(RED),
    "heat-far": CellStyle(WHITE, RED, bold=True),
}
SHAPES = "▁▂▃▄▅▆▇█▉▊▋▌▍▎▏░▒▓⣿⠁─│┌┐└┘├┤┬┴┼╋╌┊╎◆■▪▸▾▴●○◉◎→↑↓×–"


def picture(*lines: tuple[tuple[str, str], ...]) -> Picture:
    return Picture(tuple(tuple(Span(*span) for span in line) for line in lines), STYLES, BLACK)


@pytest.mark.parametrize("char", SHAPES)
def test_what_fonts_draw_unevenly_is_a_shape_inside_its_cell(char):
    assert shapes(char)
    for shape in shapes(char):
        match shape:
            case Box(left, top, right, bottom):
                assert 0 <= left < right <= 1
                assert 0 <= top < bottom <= 1
            case Dot(x, y, radius):
                assert radius <= x <= 1 - radius
                assert radius / 2 <= y <= 1 - radius / 2
            case Polygon(points):
                assert all(0 <= place <= 1 for point in points for place in point)


@pytest.mark.parametrize("char", "aZ5%±")
def test_letters_are_written_in_a_font(char):
    assert shapes(char) == ()


@settings(max_examples=30)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=20))
def test_any_text_is_valid_svg(text):
    root = ElementTree.fromstring(svg(picture(((text, "plain"), ("<&>", "heat-far")))))
    words = "".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))
    assert words.endswith("<&>")


def test_a_png_has_the_colors_of_its_cells(tmp_path: Path):
    write_png(
        tmp_path / "plot.png", picture((("██", "chosen"), ("░x", "plain")), (("  ", "plain"),))
    )
    with Image.open(tmp_path / "plot.png") as image:
        assert image.size == ((4 + 2) * 14, (2 + 1) * 28)
        assert image.getpixel((20, 25)) == RED
        assert image.getpixel((48, 20)) == mixed(BLACK, WHITE, 0.25)
        assert image.getpixel((20, 60)) == BLACK


def test_a_background_fills_its_cells(tmp_path: Path):
    write_png(tmp_path / "plot.png", picture((("  ", "heat-far"), ("  ", "plain"))))
    with Image.open(tmp_path / "plot.png") as image:
        assert image.getpixel((20, 25)) == RED
        assert image.getpixel((50, 25)) == BLACK
