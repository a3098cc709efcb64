"""A terminal that is told only what changes shows what one shows that is told everything."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from pyte.screens import Char

from tui.system.painting import BEGIN, END, REPAINT, Painter

WIDTH, HEIGHT = 24, 4
STYLES = (
    "", "1", "7", "4;31", "31;42", "1;38;5;215", "38;5;215;48;5;233", "2;48;5;233", "38;2;1;2;3",
)  # fmt: skip
TEXTS = ("a", "ab", "plot ", " ", "      ", "█▁", "⣿·", "層a")


def styled(style: str, text: str) -> str:
    """A text as Textual writes it."""
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


def move(y: int, x: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"


ROW = st.tuples(
    st.integers(0, 5),
    st.lists(st.tuples(st.sampled_from(STYLES), st.sampled_from(TEXTS)), max_size=3),
)


def frame(rows: dict[int, tuple[int, list[tuple[str, str]]]]) -> str:
    lines = (
        move(y, x) + "".join(styled(*part) for part in parts)
        for y, (x, parts) in sorted(rows.items())
    )
    return "\n".join(lines) + move(1, 2)


FRAMES = st.lists(
    st.dictionaries(st.integers(0, HEIGHT - 1), ROW, min_size=1).map(frame) | st.just("\x1b[2J"),
    max_size=6,
)


def shown(screen: pyte.Screen) -> list[Char | tuple[str, bool]]:
    """The cells, blank ones without what cannot be seen in them."""
    cells = [screen.buffer[y][x] for y in range(HEIGHT) for x in range(WIDTH)]
    return [
        (cell.bg, cell.reverse)
        if cell.data == " " and not (cell.reverse or cell.underscore)
        else cell
        for cell in cells
    ]


@settings(max_examples=40, deadline=None)
@given(frames=FRAMES)
def test_changes_show_what_whole_frames_show(frames: list[str]) -> None:
    whole, changed = pyte.Screen(WIDTH, HEIGHT), pyte.Screen(WIDTH, HEIGHT)
    streams, painter = (pyte.Stream(whole), pyte.Stream(changed)), Painter()
    for text in frames:
        streams[0].feed(text)
        streams[1].feed(painter.changes(text))
        assert shown(changed) == shown(whole)
        assert (changed.cursor.x, changed.cursor.y) == (whole.cursor.x, whole.cursor.y)


def test_an_unchanged_frame_writes_nothing_and_one_cell_little() -> None:
    painter, row = Painter(), styled("38;5;215;48;5;233", "accuracy 99.28")
    assert painter.changes(move(0, 0) + row + move(0, 0))
    assert [painter.changes(text) for text in (BEGIN, move(0, 0) + row + move(0, 0), END)] == [
        ""
    ] * 3
    changed = painter.changes(move(0, 0) + row.replace("28", "29") + move(0, 0))
    assert changed == f"\x1b[13C9{move(0, 0)}"


def test_a_blank_needs_no_color_and_bold_ends_by_itself() -> None:
    violet, gray = "38;5;141;48;5;234", "38;5;252;48;5;234"
    row = styled(violet, "│") + styled(gray, " ") + styled(violet, "│")
    assert Painter().changes(move(0, 0) + row) == f"{move(0, 0)}\x1b[{violet}m│ │"
    row = styled(f"1;{violet}", "Help") + styled(violet, "──")
    assert Painter().changes(move(0, 0) + row) == f"{move(0, 0)}\x1b[1;{violet}mHelp\x1b[22m──"


def test_everything_is_painted_again_once_the_screen_is_unknown() -> None:
    painter, text = Painter(), move(0, 0) + styled("1", "title") + move(0, 0)
    first = painter.changes(text)
    assert painter.changes("\x1b]0;fine-tuning\x07") == "\x1b[0m\x1b]0;fine-tuning\x07"
    assert painter.changes(text) == ""
    painter.changes(REPAINT)
    assert painter.changes(text) == first


def test_a_synchronized_frame_is_one_only_if_something_changes() -> None:
    painter, text = Painter(), move(0, 0) + "title" + move(0, 0)
    written = [painter.changes(part) for part in (BEGIN, text, END)]
    assert written[0] == ""
    assert written[1].startswith(BEGIN)
    assert written[2] == END


def test_nothing_is_written_beyond_the_terminal() -> None:
    painter = Painter()
    painter.columns, painter.rows = 10, 2
    inside = f"{move(0, 0)}accuracy 99.28\n{move(1, 4)}kept\n"
    outside = f"{move(1, 12)}x\n{move(2, 0)}below{move(0, 12)}"
    assert painter.changes(inside + outside) == f"{move(0, 0)}accuracy 9{move(1, 4)}kept"
    assert painter.changes(f"{move(0, 9)}層") == f"{move(0, 9)} "
