"""The weight histogram of a layer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots import histogram
from tui.plots.drawing.weight_bins import bins
from tui.plots.histogram import HistogramData


def weights(sparsity: float = 0.95, width: int = 78) -> HistogramData:
    values = np.random.default_rng(0).normal(0, 0.03, 25_600)
    threshold = float(np.quantile(np.abs(values), sparsity))
    counts, edges = np.histogram(values, bins=bins(width))
    kept, _ = np.histogram(values[np.abs(values) > threshold], bins=edges)
    return HistogramData("conv2", edges, counts, kept, threshold)


@pytest.mark.parametrize("area", [(58, 5), (78, 9), (100, 30)])
@pytest.mark.parametrize("sparsity", [0.5, 0.98, 0.999])
def test_kept_weights_show_however_few(sparsity, area):
    lines = histogram.draw(weights(sparsity, area[0]), *area)
    kept = inked(lines, "kept") if area[1] > 5 else "".join(text(lines)[1:])
    assert set(kept) & set("▁▂▃▄▅▆▇█")
    assert "⣿" in "".join(text(lines)[1:])


def test_a_single_kept_weight_shows_whatever_the_number_of_bins():
    counts, kept = np.full(5000, 1000), np.zeros(5000, int)
    kept[4321] = 1
    data = HistogramData("fc1", np.linspace(-1, 1, 5001), counts, kept, 0.7)
    assert inked(histogram.draw(data, 78, 9), "kept").strip()


def test_the_threshold_is_drawn_on_both_sides():
    lines = text(histogram.draw(weights(), 78, 9))
    left, right = (index for index, char in enumerate(lines[4]) if char == "┊")
    zero = lines[8].index(" 0 ") + 1
    assert zero - left == pytest.approx(right - zero, abs=1)
    assert "threshold ±0.0585" in lines[0]


def test_a_histogram_labels_its_axes():
    lines = text(histogram.draw(weights(), 78, 9))
    assert lines[0].startswith("Weights · conv2 · kept 1,280 (5.0 %) · ┊ threshold ±0.0585")
    assert lines[1].startswith("⣿ removed 24,320  █ kept 1,280  count, √ scale")
    assert lines[8].startswith("weight")


def test_weights_that_are_zero_already_count_as_removed():
    data = weights()
    pruned = HistogramData("conv2", data.edges, data.counts_kept, data.counts_kept, 0.0, 24_320)
    lines = text(histogram.draw(pruned, 78, 9))
    assert lines[0].startswith("Weights · conv2 · kept 1,280 (5.0 %)")
    assert lines[1].startswith("⣿ removed 24,320  █ kept 1,280")


@pytest.mark.parametrize(
    ("edges", "counts"),
    [([], []), ([0], []), ([0, math.nan], [1]), ([0, 0], [1]), ([0, 1e300], [1]), ([0, 1], [1, 2])],
)
def test_bins_that_cannot_be_drawn_say_so(edges, counts):
    data = HistogramData("fc1", np.array(edges), np.array(counts), np.array(counts), 0.1)
    assert "no weights to show" in "".join(text(histogram.draw(data, 78, 9)))


@settings(max_examples=60)
@given(
    area=sizes,
    name=names,
    edges=st.lists(numbers, max_size=12),
    counts=st.lists(numbers, max_size=12),
    threshold=st.floats(),
    ordered=st.booleans(),
)
def test_no_histogram_fails(area, name, edges, counts, threshold, ordered):
    if ordered:
        counts = counts or [1.0]
        edges = np.linspace(-1, 1, len(counts) + 1).tolist()
    arrays = (np.array(edges, dtype=float), np.array(counts, dtype=float))
    data = HistogramData(name, *arrays, arrays[1][::-1], threshold)
    assert_exact(histogram.draw(data, *area), *area)
