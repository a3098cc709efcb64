"""Tables of texts."""

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.table import column_widths, table_row
from tui.text.lines import width_of

CELLS = st.text("abc", max_size=9)
COLUMNS = st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6)


@given(COLUMNS, st.integers(0, 60))
def test_as_many_columns_as_fit_are_as_wide_as_their_widest_cell(
    columns: list[list[str]], room: int
) -> None:
    widths = column_widths(columns, room)
    assert widths == [max(map(len, column)) for column in columns[: len(widths)]]
    assert len(widths) == 1 or sum(widths) + 2 * len(widths) <= room
    if len(widths) < len(columns):
        following = max(map(len, columns[len(widths)]))
        assert sum(widths) + following + 2 * len(widths) + 2 > room


@given(COLUMNS, st.integers(1, 60))
def test_a_row_is_exactly_as_wide_as_the_table(columns: list[list[str]], width: int) -> None:
    widths = column_widths(columns, width - 3)
    row = table_row("ab ", [column[0] for column in columns], widths, "plain", width)
    assert width_of(row) == width


def test_cells_are_right_aligned_and_those_that_do_not_fit_dropped() -> None:
    ((text, role),) = table_row("fc1 ", ["7", "12", "dropped"], [3, 2], "total", 14)
    assert (text, role) == ("fc1     7  12 ", "total")
