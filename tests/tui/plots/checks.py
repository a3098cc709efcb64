"""Helpers of the plot tests: random areas and numbers, and checks of drawings."""

import math
import unicodedata

from hypothesis import strategies as st

from tui.text.lines import ROLES, Lines

sizes = st.tuples(st.integers(-1, 130), st.integers(-1, 45))
numbers = st.one_of(
    st.floats(),
    st.floats(0, 100),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, None, 0, 10**18]),
)
names = st.text(max_size=30)


def text(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def roles(lines: Lines) -> set[str]:
    return {span.role for line in lines for span in line}


def inked(lines: Lines, role: str) -> str:
    """What is drawn in a role below the title and the legend."""
    return "".join(span.text for line in lines[2:] for span in line if span.role == role)


def assert_exact(lines: Lines, width: int, height: int) -> None:
    assert len(lines) == max(0, height)
    for line in text(lines):
        assert len(line) == max(0, width)
        assert all(unicodedata.east_asian_width(char) not in "WF" for char in line)
    assert roles(lines) <= set(ROLES)
