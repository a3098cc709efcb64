"""Kinds of values: accepted values, parsed text and a form's steps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InputError
from core.fields.kinds import (
    Kind,
    integer,
    number,
    number_or_all,
    one_of,
    per_channel,
    step_along,
    switch,
)

SERIES = (0.0, 0.1, 0.5, 1.0)
SIDES = {1: "grayscale", 3: "color", 4: ""}
CHANNELS = per_channel(number(0, 1), SIDES, "")


def named(value: object) -> str | None:
    return value.expected if isinstance(value, Kind) else None


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (one_of(SIDES), [1, 3, 4], [2, True, 1.0, "1", None, [1]]),
        (one_of(("a", "b")), ["a", "b"], ["c", "", 0, ["a"]]),
        (switch(), [True, False], [0, 1, "true", None]),
        (integer(1, 9), [1, 9], [0, 10, 1.0, True, "1", 10**400]),
        (number_or_all(), [1, 10**400, "all"], [0, -1, 1.0, True, "1", "ALL", None]),
        (number(0, 1), [0, 1, 0.5], [-1e-9, 1.1, True, "0", float("nan"), 10**400]),
        (number(0, 1, above=True), [1e-9, 1], [0, 0.0]),
        (number(0, 1, below=True), [0, 0.999], [1, 1.0]),
        (CHANNELS, [0.5, [0.5], (0, 0, 1)], [[], [0, 1], [2], "0"]),
    ],
    ids=named,
)
def test_only_expected_values_of_the_right_type_are_taken(
    kind: Kind, taken: list[Any], refused: list[Any]
) -> None:
    assert [kind.accepts(value) for value in taken] == [True] * len(taken)
    for value in refused:
        with pytest.raises(InputError) as caught:
            kind.read(value)
        assert str(caught.value) == f"expected {kind.expected}"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (one_of(SIDES), "3", 3),
        (integer(1, 9), "7", 7),
        (number_or_all(), "7", 7),
        (number_or_all(), "all", "all"),
        (number(0, 100), "7", 7.0),
        (CHANNELS, "0.5,0.25,1", (0.5, 0.25, 1.0)),
        (switch(), "false", False),
    ],
    ids=named,
)
def test_text_becomes_the_value_it_spells(kind: Kind, text: str, value: object) -> None:
    assert kind.parse(text) == value
    assert type(kind.parse(text)) is type(value)


@pytest.mark.parametrize("text", ["", "x", "0.5.1", "9" * 5000, "nan", "inf", "-"])
@pytest.mark.parametrize(
    "kind",
    [one_of(SIDES), switch(), integer(1, 9), number_or_all(), number(0, 1), CHANNELS],
    ids=named,
)
def test_other_text_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(InputError, match=r"^expected "):
        kind.parse(text)


def test_ranges_and_options_are_described() -> None:
    assert number(0, 100, above=True).expected == "a number above 0, at most 100"
    assert number(0, 1, below=True).expected == "a number from 0 to below 1"
    assert integer(0, 2**63 - 1).expected == "a whole number from 0 to 2^63 - 1"
    assert one_of(SIDES).expected == "one of 1, 3, 4"
    assert one_of(SIDES).description == "1 (grayscale), 3 (color), 4"


@given(value=st.floats(0, 1), steps=st.integers(-5, 5))
def test_a_step_goes_to_a_member_of_the_series_on_that_side(value: float, steps: int) -> None:
    assume(all(abs(value - member) > 1e-8 * value for member in SERIES) or value in SERIES)
    neighbor = step_along(SERIES, value, steps)
    assert neighbor in SERIES
    if steps > 0:
        assert neighbor > value or value == SERIES[-1]
    if steps < 0:
        assert neighbor < value or value == SERIES[0]


def test_steps_stay_within_a_range_and_wrap_around_options() -> None:
    assert [integer(1, 9).step(8, steps) for steps in (-99, -1, 1, 5)] == [1, 7, 9, 9]
    assert one_of(("a", "b", "c")).step("c", 1) == "a"
    assert switch().step(True, 5) is False
