"""The accuracy of two runs, epoch by epoch."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots.runs import training_curves
from tui.plots.runs.training_curves import RunCurve, TrainingCurvesData

RISING = tuple(enumerate((91.0, 98.2, 98.9, 99.2, 99.3), 1))
FLAT = tuple(enumerate((98.9, 98.95, 99.0), 1))


def two(one=RISING, other=FLAT, best=5) -> TrainingCurvesData:
    chosen = RunCurve("0007", one, best, "◉", "chosen")
    compared = RunCurve("3", other, None, "◎", "compared")
    return TrainingCurvesData((chosen, compared), "validation", 99.18)


def test_both_curves_are_named_and_drawn():
    lines = training_curves.draw(two(), 80, 11)
    assert text(lines)[0].startswith("Trainings · ◉ 0007 99.30 % (epoch 5, best)")
    assert text(lines)[1].startswith("◎ 3 99.00 % (epoch 3, last)")
    assert "▾91.0 %" in inked(lines, "chosen").replace(" ", "").replace("%", " %")
    assert inked(lines, "chosen").count("◉") == 4
    assert inked(lines, "compared").count("◎") == 2
    assert "dense 99.18 %" in inked(lines, "dense")


def test_accuracies_on_few_images_carry_their_intervals():
    curve = RunCurve("7", ((1, 78.2), (2, 80.8)), 2, "◉", "chosen")
    lines = training_curves.draw(TrainingCurvesData((curve,), "validation", 84.6, 78), 80, 11)
    assert text(lines)[0].startswith("Trainings · ◉ 7 81 ±9 % (epoch 2, best)")
    assert "dense 85 ±8 %" in inked(lines, "dense")


def test_runs_without_epochs_have_a_hint():
    lines = training_curves.draw(two((), ()), 80, 11)
    assert inked(lines, "hint") == "neither run recorded its epochs"
    assert text(lines)[0].startswith("Trainings · ◉ 0007 –")


epochs = st.lists(st.tuples(numbers, numbers), max_size=6).map(tuple)
marks = st.builds(RunCurve, names, epochs, st.none() | numbers, st.just("◉"), st.just("compared"))


@settings(max_examples=25)
@given(area=sizes, runs=st.lists(marks, max_size=3).map(tuple), split=names, dense=numbers)
def test_no_curves_fail(area, runs, split, dense):
    assert_exact(training_curves.draw(TrainingCurvesData(runs, split, dense), *area), *area)
