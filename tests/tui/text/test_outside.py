"""Text from outside: harmless, and otherwise as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text.outside import printable


@given(st.text(max_size=40))
def test_shown_text_keeps_its_length_has_no_controls_and_stays_as_it_is(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not set(shown) & {chr(code) for code in (*range(32), *range(127, 160))}
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["مدل", "می‌خواهم", "模型/層", "né", "ne\u0301", "🙂", "[/red]"])
def test_names_in_any_alphabet_are_shown_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "char", ["\x1b", "\x9b", "\x07", "\x7f", "\u202e", "\u2066", "\udcff", "\ufeff", "\u00ad"]
)
def test_characters_that_a_terminal_obeys_or_that_hide_are_question_marks(char: str) -> None:
    assert printable(f"a{char}b") == "a?b"
