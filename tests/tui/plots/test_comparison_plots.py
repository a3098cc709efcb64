"""Two runs in one plot: their courses, and the weights of a layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.test_plots import assert_exact, inked, names, numbers, sizes, text
from tui.plots.runs import training_curves, two_weights
from tui.plots.runs.training_curves import RunCurve, TrainingCurvesData
from tui.plots.runs.two_weights import TwoWeightsData, WeightsMark

COMING = tuple(enumerate((91.0, 98.2, 98.9, 99.2, 99.3), 1))
STEADY = tuple(enumerate((98.9, 98.95, 99.0), 1))


def two(one=COMING, other=STEADY, best=5) -> TrainingCurvesData:
    chosen = RunCurve("0007", one, best, "◉", "chosen")
    compared = RunCurve("3", other, None, "◎", "compared")
    return TrainingCurvesData((chosen, compared), "validation", 99.18)


def weights(bars=(1, 4, 900, 4, 0), line=(9, 0, 0, 0, 9), missing="") -> TwoWeightsData:
    edges = np.linspace(-0.2, 0.2, 6)
    marks = (WeightsMark("0007", np.array(bars)), WeightsMark("3", np.array(line), missing))
    return TwoWeightsData("conv1", edges, *marks)


each = pytest.mark.parametrize(
    ("draw", "data"), [(training_curves.draw, two()), (two_weights.draw, weights())]
)


@each
@settings(max_examples=15)
@given(area=sizes)
def test_every_area_is_filled_exactly(draw, data, area):
    assert_exact(draw(data, *area), *area)


@each
@pytest.mark.parametrize("area", [(46, 7), (58, 9), (80, 11), (120, 20)])
def test_the_usual_areas_show_both(draw, data, area):
    lines = draw(data, *area)
    assert_exact(lines, *area)
    assert inked(lines, "chosen").strip()
    assert inked(lines, "compared").strip()


def test_both_courses_are_told_and_drawn():
    lines = training_curves.draw(two(), 80, 11)
    assert text(lines)[0].startswith("◉ 0007 99.30 % (epoch 5, kept)")
    assert text(lines)[1].startswith("◎ 3 99.00 % (epoch 3, last)")
    assert "▾" in inked(lines, "chosen")  # the first epoch lies far below
    assert inked(lines, "chosen").count("◉") == 4
    assert inked(lines, "compared").count("◎") == 2
    assert "dense 99.18 %" in inked(lines, "dense")


def test_courses_without_epochs_say_so():
    lines = training_curves.draw(two((), ()), 80, 11)
    assert inked(lines, "hint") == "neither run recorded its epochs"
    assert text(lines)[0].startswith("◉ 0007 –")


def test_weights_are_bars_and_a_line():
    lines = two_weights.draw(weights(), 80, 11)
    assert text(lines)[0].startswith("conv1 weights: █ 0007 909 left  ⠒ 3 18 left")
    assert inked(lines, "chosen").count("█") > 20
    assert any("⠀" < char <= "⣿" for char in inked(lines, "compared"))


def test_weights_that_are_missing_say_why():
    one = two_weights.draw(weights(line=(), missing="3 is running: no weights yet"), 80, 11)
    assert text(one)[0].startswith("conv1 weights: █ 0007 909 left  ⠒ 3 –")
    assert text(one)[1].strip() == "3 is running: no weights yet"
    none = two_weights.draw(weights(bars=(), line=(), missing="gone"), 80, 11)
    assert inked(none, "hint").strip() == "gone"


epochs = st.lists(st.tuples(numbers, numbers), max_size=6).map(tuple)
marks = st.builds(RunCurve, names, epochs, st.none() | numbers, st.just("◉"), st.just("compared"))


@settings(max_examples=25)
@given(area=sizes, runs=st.lists(marks, max_size=3).map(tuple), split=names, dense=numbers)
def test_no_courses_fail(area, runs, split, dense):
    assert_exact(training_curves.draw(TrainingCurvesData(runs, split, dense), *area), *area)


counts = st.lists(st.integers(-9, 10**9), max_size=9).map(np.array)
counted = st.builds(WeightsMark, names, counts, names)


@settings(max_examples=25)
@given(sizes, names, st.lists(numbers, max_size=10).map(np.array), counted, counted)
def test_no_weights_fail(area, layer, edges, bars, line):
    data = TwoWeightsData(layer, edges, bars, line)
    assert_exact(two_weights.draw(data, *area), *area)
