"""Texts cut and padded to a width in cells."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.text import lines
from tui.text.lines import Span, beside, blank, clean, cut, cut_name, distinct_width, header, note

WIDTHS = st.integers(0, 60)
SPANS = st.lists(st.text("abc ", max_size=12).map(lambda text: Span(text, "label")), min_size=1)
PATHS = st.lists(st.text("abyz019_", min_size=1, max_size=9), min_size=1, max_size=6).map(".".join)


def widths(area: lines.Lines) -> set[int]:
    return {sum(len(span.text) for span in line) for line in area}


@given(st.text(max_size=40))
def test_clean_text_keeps_its_length_and_is_printable(text: str) -> None:
    made = clean(text)
    assert len(made) == len(text)
    assert not made or made.isprintable()
    assert clean(made) == made


@given(st.text(max_size=40), WIDTHS)
def test_a_cut_text_fits_and_a_text_that_fits_is_not_cut(text: str, width: int) -> None:
    made = cut(text, width)
    assert len(made) == min(len(text), width)
    assert made == text or not width or made.endswith("…")


@given(PATHS, WIDTHS)
def test_a_cut_name_fits_and_keeps_its_beginning_and_its_end(path: str, width: int) -> None:
    made = cut_name(path, width)
    assert len(made) == min(len(path), width)
    if len(path) <= width:
        assert made == path
    elif width >= 3:
        assert (made[0], made[-1]) == (path[0], path[-1])
        assert "…" in made[1:-1]
        pieces = re.escape(made).split("…")
        assert re.fullmatch(".*".join(pieces), path)


def test_a_cut_name_keeps_its_numbers() -> None:
    layer = "encoder.layers.encoder_layer_11.self_attention.in_proj_weight"
    for width in range(12, len(layer)):
        assert "11" in cut_name(layer, width)
    assert cut_name("features.denseblock3.denselayer24.conv1", 24) == "fea…3.denselayer24.conv1"


@given(st.lists(PATHS, max_size=12).map(tuple))
def test_names_cut_to_their_distinct_width_differ_unless_they_are_too_much_alike(
    names: tuple[str, ...],
) -> None:
    width = distinct_width(names)
    longest = max(map(len, names), default=0)
    assert min(longest, 14) <= width <= 32
    if width < 32:
        assert len({cut_name(name, width) for name in names}) == len(set(names))


@given(SPANS, st.lists(st.just(Span("legend ", "hint"))), st.integers(1, 60), st.integers(1, 2))
def test_a_header_is_exactly_as_wide_as_asked_for(
    title: list[Span], legend: list[Span], width: int, rows: int
) -> None:
    made = header(title, legend, width, rows)
    assert len(made) == rows
    assert widths(made) == {width}


@given(st.text("abc", min_size=1), st.integers(1, 60), st.integers(1, 9))
def test_a_note_and_a_blank_fill_their_area(text: str, width: int, height: int) -> None:
    for area in (note(text, width, height), blank(width, height)):
        assert len(area) == height
        assert widths(area) == {width}


@given(st.integers(1, 20), st.integers(0, 5), st.integers(1, 20), st.integers(0, 5))
def test_two_areas_side_by_side_fill_one(wide: int, high: int, width: int, height: int) -> None:
    left, right = note("l", wide, high), note("r", width, height)
    area = beside(left, right, wide + width + 3)
    assert len(area) == max(high, height)
    assert widths(area) <= {wide + width + 3}
    for row, line in enumerate(right):
        assert "".join(span.text for span in area[row]).endswith(line[0].text)
