"""A widget of lines refreshes only the cells that changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Region

from tui.text.lines import Span
from tui.widgets.lines import _cells, _changed

LINES = st.lists(
    st.lists(st.builds(Span, st.text("ab", max_size=4), st.sampled_from(["plain", "hint"]))),
    max_size=4,
).map(lambda lines: tuple(map(tuple, lines)))


@given(LINES, LINES)
def test_every_changed_cell_is_in_a_region_and_equal_rows_are_in_none(before, after) -> None:
    regions = list(_changed(before, after))
    for y in range(max(len(before), len(after))):
        old, new = (_cells(lines[y]) if y < len(lines) else [] for lines in (before, after))
        changed = [x for x in range(max(len(old), len(new))) if old[x : x + 1] != new[x : x + 1]]
        rows = [region for region in regions if region.y == y]
        assert [(region.x, region.right - 1) for region in rows] == (
            [(changed[0], changed[-1])] if changed else []
        )


def test_cells_that_are_split_otherwise_are_the_same() -> None:
    one, other = (Span("ab", "plain"),), (Span("a", "plain"), Span("b", "plain"))
    assert list(_changed((one,), (other,))) == []
    assert list(_changed((one,), ((Span("ac", "plain"),),))) == [Region(1, 0, 1, 1)]
