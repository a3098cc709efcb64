"""Small gray images in braille."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tui.plots.drawing.braille import braille, crop, to_gray


@given(arrays(float, array_shapes(min_dims=0, max_dims=3, max_side=9)))
def test_any_pixels_become_a_picture_from_zero_to_one(pixels: np.ndarray) -> None:
    picture = to_gray(pixels)
    assert picture.ndim == 2
    assert ((picture >= 0) & (picture <= 1)).all()


@given(arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.floats(0, 1)))
def test_a_picture_fills_its_area_with_braille_or_blanks(picture: np.ndarray) -> None:
    width, height = 12, 6
    scale = min(2 * width / picture.shape[1], 4 * height / picture.shape[0])
    lines = braille(picture, scale, width, height)
    assert [len(line) for line in lines] == [width] * height
    assert all(char == " " or 0x2800 < ord(char) <= 0x28FF for line in lines for char in line)


def test_a_full_picture_is_full_cells() -> None:
    assert braille(np.ones((8, 4)), 1.0, 2, 2) == ["⣿⣿", "⣿⣿"]


def test_only_a_border_that_is_blank_in_all_pictures_is_cut_off() -> None:
    one, other = np.zeros((6, 6)), np.zeros((6, 6))
    one[1, 2] = other[3, 4] = 1.0
    assert [picture.shape for picture in crop([one, other])] == [(3, 3), (3, 3)]
    assert [picture.shape for picture in crop([one, np.ones((2, 2))])] == [(6, 6), (2, 2)]
