"""Frames around panels."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.text.frames import Frame, frame_rows, framed, inner_size, inner_start
from tui.text.lines import Line, Lines, Span, width_of

FRAMES = st.sampled_from(["box", "rule", "none"])
SPANS = st.lists(st.text("ab ", max_size=30).map(lambda text: Span(text, "plain")), max_size=3)
LINES = st.lists(SPANS.map(tuple), max_size=12).map(tuple)


def text(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


@given(FRAMES, LINES, SPANS.map(tuple), SPANS.map(tuple), st.integers(8, 60), st.integers(3, 20))
def test_a_frame_fills_its_panel_whatever_it_holds(
    frame: Frame, content: Lines, title: Line, footer: Line, width: int, height: int
) -> None:
    lines = framed(frame, content, title, width, height, footer)
    if frame == "box":
        assert len(lines) == height
        assert {width_of(line) for line in lines} == {width}
    elif frame == "rule":
        assert width_of(lines[0]) == width
        assert lines[1:] == content
    else:
        assert lines == content


@given(FRAMES, st.integers(8, 60), st.integers(3, 20))
def test_content_of_the_inner_size_is_shown_whole(frame: Frame, width: int, height: int) -> None:
    inside, rows = inner_size(frame, width, height)
    content = ((Span("x" * inside, "plain"),),) * rows
    lines = text(framed(frame, content, (Span("t", "title"),), width, height))
    x, y = inner_start(frame)
    assert [line[x : x + inside] for line in lines[y : y + rows]] == ["x" * inside] * rows
    assert rows + frame_rows(frame) == height


def test_the_focus_has_a_color_of_its_own() -> None:
    for focused, role in ((True, "frame-focused"), (False, "frame")):
        lines = framed("box", (), (Span("t", "title"),), 20, 4, focused=focused)
        assert {span.role for line in lines for span in line} - {"plain", "title"} == {role}
