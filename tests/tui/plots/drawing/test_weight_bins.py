"""Histograms of weights: bins, axes and bars."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots.drawing.weight_bins import are_bins, bins, draw_counts, weight_canvas


@given(st.integers(20, 200), st.floats(1e-3, 1e3))
def test_there_is_a_bin_for_each_column(width: int, reach: float) -> None:
    edges = np.linspace(-reach, reach, bins(width) + 1)
    assert are_bins(edges)
    assert weight_canvas(edges, 100, width, 9).columns == bins(width)


@pytest.mark.parametrize(
    "edges", [[], [0], [0, np.nan], [0, 0], [1, 0], [0, 1e300], [1, 1 + 1e-15]]
)
def test_edges_have_to_increase_over_a_span_that_can_be_drawn(edges: list[float]) -> None:
    assert not are_bins(np.array(edges, dtype=float))


@pytest.mark.parametrize("number", [3, 70, 5_000])
def test_a_single_count_is_drawn_whatever_the_number_of_bins(number: int) -> None:
    edges, counts = np.linspace(-1, 1, number + 1), np.zeros(number)
    counts[number // 2] = 1
    canvas = weight_canvas(edges, 1, 78, 9)
    draw_counts(canvas, edges, counts, 1, "▄█", "kept")
    assert any(span.role == "kept" for line in canvas.lines() for span in line)
