"""The footprint of a net."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from core.nets.footprint import Footprint, total

PARTS = st.lists(
    st.integers(1, 10**9).flatmap(
        lambda n: st.integers(0, n).map(lambda kept: Footprint(parameters=n, nonzero=kept))
    )
)


def test_the_reference_counts_four_bytes_a_nonzero() -> None:
    footprint = Footprint(parameters=228_010, nonzero=6_183)
    assert (footprint.dense_bytes, footprint.pruned_bytes) == (912_040, 24_732)
    assert round(footprint.ratio, 2) == 36.88


def test_a_net_with_nothing_left_is_infinitely_lighter() -> None:
    assert Footprint(10, 0).ratio == math.inf


@given(PARTS, st.integers(0, 10**6))
def test_a_total_is_the_sum_of_its_layers(parts: list[Footprint], others: int) -> None:
    whole = total(iter(parts), others)
    assert whole.parameters == sum(part.parameters for part in parts) + others
    assert whole.dense_bytes - whole.pruned_bytes == sum(
        part.dense_bytes - part.pruned_bytes for part in parts
    )
