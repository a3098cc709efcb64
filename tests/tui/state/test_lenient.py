"""Values nobody has checked: what is missing or odd is nothing, and nothing fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.state.lenient import mapping, mappings, moment, number, text, whole

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(ANYTHING, st.floats(-100, 100), st.floats(-100, 100))
def test_a_number_is_within_its_range_or_not_there(value: Any, low: float, high: float) -> None:
    found = number(value, low, high)
    assert found is None or low <= found <= high
    assert found is None or not isinstance(value, bool)
    count = whole(value, low, high)
    assert count is None or count == value


@given(ANYTHING)
def test_a_text_is_one_printable_line_or_not_there(value: Any) -> None:
    found = text(value)
    assert found is None or (found and found.isprintable() and len(found) <= 400)


@given(st.dictionaries(st.text(), ANYTHING), st.text(), st.integers(0, 5))
def test_only_mappings_come_out_of_a_list_and_no_more_than_asked_for(
    facts: dict[str, Any], name: str, most: int
) -> None:
    facts = {**facts, name: [facts, 3, facts, None, facts]}
    rows = list(mappings(facts, name, most))
    assert len(rows) <= most
    assert all(row is facts[name][0] for row in rows)
    assert mapping(facts, name) == {}
    assert mapping({name: facts}, name) is facts


@given(ANYTHING)
def test_a_time_that_is_none_is_not_there(value: Any) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("written", ["2026-01-02T03:04:05", "2026-01-02T04:04:05+01:00"])
def test_a_time_is_utc_unless_it_says_otherwise(written: str) -> None:
    assert moment(written) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
