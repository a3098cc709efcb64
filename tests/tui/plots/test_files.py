"""File sizes as bars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, roles, sizes, text
from tui.plots.files import FilesData, FilesRow, draw
from tui.text.lines import ROLES

ROWS = (
    FilesRow("dense file", 912_616),
    FilesRow("dense file, zipped", 34_642),
    FilesRow("values + positions", 45_209, file=False),
    FilesRow("values only", 24_732, file=False),
    FilesRow("compact, lossless", 22_565),
    FilesRow("compact, 12 values", 5_512, "99.29 %"),
)
DATA = FilesData(ROWS, 912_040, "fine-tuned, test 99.31 %")

rows = st.lists(
    st.builds(FilesRow, names, st.none() | st.integers(0, 1 << 50), names, st.booleans()),
    max_size=9,
).map(tuple)


@given(area=sizes, rows=rows, dense=st.integers(0, 1 << 50), caption=names, stale=st.booleans())
def test_no_files_fail(area, rows, dense, caption, stale):
    lines = draw(FilesData(rows, dense, caption, stale), *area)
    assert_exact(lines, *area)
    assert roles(lines) <= {*ROLES}


def test_bytes_and_ratios_are_beside_the_bars():
    shown = text(draw(DATA, 80, 10))
    assert "fine-tuned, test 99.31 %" in shown[0]
    last = next(line for line in shown if "compact, 12 values" in line)
    assert last.endswith("5,512 B 165.5x 99.29 %")
    assert any("dense file  " in line and "1.0x" in line for line in shown)


def test_a_longer_bar_is_a_larger_file():
    lines = text(draw(DATA, 80, 8))
    shown = {row.name: line for row in ROWS for line in lines if line.startswith(f"{row.name} ")}
    lengths = {row.bytes: sum(char in "█░" for char in shown[row.name]) for row in ROWS}
    assert [lengths[size] for size in sorted(lengths)] == sorted(lengths.values())
    assert min(lengths.values()) > 0


def test_on_few_lines_the_most_important_files_stay():
    shown = "\n".join(text(draw(DATA, 60, 4)))
    assert "compact, 12 values" in shown
    assert "compact, lossless" in shown
    assert "dense file" not in shown


def test_an_unknown_size_says_how_to_measure_it():
    unknown = FilesData((FilesRow("compact, quantized", None, "e writes it"), *ROWS[:1]), 912_040)
    assert any("e writes it" in line for line in text(draw(unknown, 60, 7)))


def test_another_plan_is_dimmed():
    dimmed = roles(draw(FilesData(ROWS, 912_040, "previous", stale=True), 80, 10))
    assert not dimmed & {"file", "counted", "chosen"}
    assert {"file", "counted", "chosen"} <= roles(draw(DATA, 80, 10))
