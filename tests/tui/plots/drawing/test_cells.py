"""Cells of a plot: lines through them, texts among them, small pictures and colours in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tui.plots.drawing.braille import braille, crop, to_gray
from tui.plots.drawing.placing import Cell, Cells, cell_at, cut_below
from tui.plots.drawing.sgr import code, parse
from tui.plots.drawing.ticks import Axis
from tui.text.lines import ROLES, Span

UNIT = Axis(0.0, 1.0)
VALUES = st.lists(st.floats(-0.5, 1.5) | st.just(float("nan")), min_size=1, max_size=12)


@given(st.floats(-1e9, 1e9), st.integers(1, 80))
def test_a_value_lies_in_a_cell_of_the_axis(value: float, cells: int) -> None:
    cell = cell_at(value, UNIT, cells)
    assert 0 <= cell < cells
    if 0 <= value < 1:
        assert cell <= value * cells < cell + 1 + 1e-6


@given(VALUES, st.integers(1, 40), st.integers(1, 20))
def test_a_line_goes_from_cell_to_neighbouring_cell(
    ys: list[float], columns: int, rows: int
) -> None:
    xs = np.linspace(0, 1, len(ys))
    trail = Cells(columns, rows, UNIT, UNIT).along(xs, np.array(ys))
    assert ((trail >= 0) & (trail < (columns, rows))).all()
    if np.isfinite(ys).all():
        assert (np.abs(np.diff(trail, axis=0)) <= 1).all()
        assert tuple(trail[0]) == (0, cell_at(ys[0], UNIT, rows))
        if len(ys) > 1:
            assert tuple(trail[-1]) == (columns - 1, cell_at(ys[-1], UNIT, rows))


def test_a_text_covers_no_needed_cell_and_as_little_of_a_line_as_can_be() -> None:
    cells = Cells(10, 3, UNIT, UNIT)
    cells.reserve(np.array([[4, 0]]))
    cells.draw(np.array([[column, 1] for column in range(10)]))
    in_the_way, on_the_line, free = Cell(2, 0), Cell(2, 1), Cell(2, 2)
    assert cells.place("name", [in_the_way]) is None
    assert cells.place("name", [on_the_line], hides=False) is None
    assert cells.place("name", [in_the_way, on_the_line, free]) == free
    assert cells.place("name", [free]) is None, "another text is there"
    assert cells.place("too long a name", [Cell(0, 1)]) is None


def test_a_point_outside_is_pulled_in_and_kept_free() -> None:
    cells = Cells(10, 3, UNIT, UNIT)
    assert cells.reserve_point(7.0, -7.0) == Cell(9, 0)
    assert cells.place("x", [Cell(9, 0)]) is None


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12), st.floats(-5, 5))
def test_a_line_is_cut_just_where_it_crosses_the_bottom(ys: list[float], bottom: float) -> None:
    xs = list(range(len(ys)))
    x, y = cut_below(xs, ys, bottom)
    assert len(x) == len(y)
    assert not (y < bottom).any()
    assert (np.diff(x) >= 0).all()
    kept = [pair for pair in zip(xs, ys, strict=True) if pair[1] >= bottom]
    assert set(kept) <= {(float(a), float(b)) for a, b in zip(x, y, strict=True)}


@given(arrays(float, array_shapes(min_dims=0, max_dims=3, max_side=9)))
def test_any_pixels_become_a_picture_from_zero_to_one(pixels: np.ndarray) -> None:
    picture = to_gray(pixels)
    assert picture.ndim == 2
    assert ((picture >= 0) & (picture <= 1)).all()


@given(arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(0, 1)))
def test_a_picture_fills_its_area_with_braille_or_blanks(picture: np.ndarray) -> None:
    width, height = 12, 6
    scale = min(2 * width / picture.shape[1], 4 * height / picture.shape[0])
    made = braille(picture, scale, width, height)
    assert [len(line) for line in made] == [width] * height
    assert all(char == " " or 0x2800 < ord(char) <= 0x28FF for line in made for char in line)


def test_a_full_picture_is_full_cells() -> None:
    assert braille(np.ones((8, 4)), 1.0, 2, 2) == ["⣿⣿", "⣿⣿"]


def test_only_a_border_that_is_blank_in_all_pictures_is_cut_off() -> None:
    one, other = np.zeros((6, 6)), np.zeros((6, 6))
    one[1, 2] = other[3, 4] = 1.0
    assert [it.shape for it in crop([one, other])] == [(3, 3), (3, 3)]
    assert [it.shape for it in crop([one, np.ones((2, 2))])] == [(6, 6), (2, 2)]


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.sampled_from(ROLES)), max_size=8))
def test_roles_go_through_colour_codes_and_back(parts: list[tuple[str, str]]) -> None:
    ansi = "".join(f"\x1b[38;5;{code(role)}m{text}" for text, role in parts)
    found = parse(ansi)
    joined = "".join(text for text, _ in parts)
    assert "".join(span.text for line in found for span in line) == joined
    letters = [role for text, role in parts for _ in text]
    assert [span.role for line in found for span in line for _ in span.text] == letters


@pytest.mark.parametrize("reset", ["\x1b[0m", "\x1b[m", "\x1b[39m"])
def test_a_reset_is_plain_and_what_is_unknown_changes_nothing(reset: str) -> None:
    ((first, second),) = [
        (*line, Span("", ""))[:2] for line in parse(f"\x1b[38;5;{code('best')}mone{reset}two")
    ]
    plain = reset != "\x1b[39m"
    assert first == (Span("one", "best") if plain else Span("onetwo", "best"))
    assert second == (Span("two", "plain") if plain else Span("", ""))
