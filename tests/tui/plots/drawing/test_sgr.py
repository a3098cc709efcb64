"""Roles go through plotext as color codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.sgr import code, parse
from tui.text.lines import ROLES, Span


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.sampled_from(ROLES)), max_size=8))
def test_roles_go_through_color_codes_and_back(parts: list[tuple[str, str]]) -> None:
    ansi = "".join(f"\x1b[38;5;{code(role)}m{text}" for text, role in parts)
    lines = parse(ansi)
    joined = "".join(text for text, _ in parts)
    assert "".join(span.text for line in lines for span in line) == joined
    letters = [role for text, role in parts for _ in text]
    assert [span.role for line in lines for span in line for _ in span.text] == letters


@pytest.mark.parametrize("reset", ["\x1b[0m", "\x1b[m", "\x1b[39m"])
def test_a_reset_is_plain_and_what_is_unknown_changes_nothing(reset: str) -> None:
    ((first, second),) = [
        (*line, Span("", ""))[:2] for line in parse(f"\x1b[38;5;{code('best')}mone{reset}two")
    ]
    plain = reset != "\x1b[39m"
    assert first == (Span("one", "best") if plain else Span("onetwo", "best"))
    assert second == (Span("two", "plain") if plain else Span("", ""))
