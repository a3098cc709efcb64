"""Large numbers and sizes in their units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text.units import BYTES, COUNTS, Units, short, size, unit


@given(st.floats(1, 1e12), st.sampled_from([COUNTS, BYTES]))
def test_a_number_has_at_least_one_of_its_unit(number: float, units: Units) -> None:
    amount, name = unit(number, units)
    assert number >= amount
    assert all(other <= amount for other, _ in units if number >= other)
    assert (amount, name) in units


@given(st.floats(0, 1e12))
def test_a_short_number_is_close_to_the_exact_one(number: float) -> None:
    text = short(number)
    factor = {"K": 1e3, "M": 1e6, "G": 1e9}.get(text[-1:], 1)
    value = float(text.rstrip("KMG").replace(",", "")) * factor
    assert value == pytest.approx(number, rel=0.06, abs=0.5)


def test_small_sizes_are_told_apart_and_large_ones_are_short() -> None:
    assert size(24_166) == "23.6 KiB"
    assert size(528 << 20) == "528.0 MiB"
    assert size(3 << 30) == "3.0 GiB"
