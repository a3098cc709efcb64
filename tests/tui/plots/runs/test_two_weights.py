"""The weights of one layer in two nets."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots.runs import two_weights
from tui.plots.runs.two_weights import TwoWeightsData, WeightsMark


def weights(bars=(1, 4, 900, 4, 0), line=(9, 0, 0, 0, 9), missing="") -> TwoWeightsData:
    edges = np.linspace(-0.2, 0.2, 6)
    marks = (WeightsMark("0007", np.array(bars)), WeightsMark("3", np.array(line), missing))
    return TwoWeightsData("conv1", edges, *marks)


def test_weights_are_bars_and_a_line():
    lines = two_weights.draw(weights(), 80, 11)
    assert text(lines)[0].startswith("Weights · conv1: █ 0007 909 kept  ⠒ 3 18 kept")
    assert inked(lines, "chosen").count("█") > 20
    assert any("⠀" < char <= "⣿" for char in inked(lines, "compared"))


def test_missing_weights_say_why():
    one = two_weights.draw(weights(line=(), missing="3 is running: no weights yet"), 80, 11)
    assert text(one)[0].startswith("Weights · conv1: █ 0007 909 kept  ⠒ 3 –")
    assert text(one)[1].strip() == "3 is running: no weights yet"
    none = two_weights.draw(weights(bars=(), line=(), missing="gone"), 80, 11)
    assert inked(none, "hint").strip() == "gone"


counts = st.lists(st.integers(-9, 10**9), max_size=9).map(np.array)
counted = st.builds(WeightsMark, names, counts, names)


@settings(max_examples=25)
@given(sizes, names, st.lists(numbers, max_size=10).map(np.array), counted, counted)
def test_no_weights_fail(area, layer, edges, bars, line):
    data = TwoWeightsData(layer, edges, bars, line)
    assert_exact(two_weights.draw(data, *area), *area)
