"""Tiles of a layer's output against NumPy; all numbers are small integers, so sums are exact."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from core.inference.sparse.vectors import MAX_TILES, SUM_TILES

LANES = (8, 16, 32, 64)
FIRST, LAST, AT, TO = 1, 5, 3, 2


def computed(tile: Any, x: Any, shifts: Any, values: Any, start: float, relu: int) -> Any:
    """What one call of a tile leaves in an output of 70 values, which are 99 before."""

    @numba.njit
    def call(out: Any, x: Any, shifts: Any, values: Any, start: Any, relu: int) -> None:
        tile(out, TO, x, AT, shifts, values, FIRST, LAST, start, relu)

    out = np.full(70, 99, np.float32)
    call(out, x, shifts, values, np.float32(start), relu)
    return out


@pytest.mark.parametrize("number", range(4), ids=lambda number: f"{LANES[number]} values")
def test_a_tile_is_that_of_a_plain_loop_and_writes_nothing_else(number: int) -> None:
    rng = np.random.default_rng(number)
    x = rng.integers(-9, 9, 100).astype(np.float32)
    shifts = rng.integers(0, 20, 7).astype(np.uint32)
    values = rng.integers(-9, 9, 7).astype(np.float32)
    lanes = LANES[number]
    inputs = np.stack([x[AT + shifts[k] :][:lanes] for k in range(FIRST, LAST)])
    expected = np.full(70, 99, np.float32)
    expected[TO : TO + lanes] = np.maximum(5 + values[FIRST:LAST] @ inputs, 0)
    assert (computed(SUM_TILES[number], x, shifts, values, 5, 1) == expected).all()
    expected[TO : TO + lanes] = np.maximum(inputs.max(0), -2)
    assert (computed(MAX_TILES[number], x, shifts, values, -2, 0) == expected).all()


def test_the_maximum_with_nan_is_nan() -> None:
    x = np.zeros(100, np.float32)
    x[AT + 4] = np.nan
    out = computed(MAX_TILES[0], x, np.zeros(7, np.uint32), np.ones(7, np.float32), -1, 0)
    assert np.flatnonzero(np.isnan(out)).tolist() == [TO + 4]
