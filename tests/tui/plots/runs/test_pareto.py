"""Accuracy against size."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots.runs import pareto
from tui.plots.runs.pareto import ParetoData, RunMark


def runs(chosen: str = "", compared: str = "") -> ParetoData:
    facts = (
        ("dense", 1, 99.18, "dense"),
        ("a", 12, 99.38, "finetuned"),
        ("b", 36.88, 99.30, "finetuned"),
        ("c", 36.88, 97.45, "finetuned"),
        ("d", 100, 98.60, "finetuned"),
        ("e", 400, 11.35, "finetuned"),
        ("f", 20, 98.7, "stopped"),
    )
    marks = (RunMark(*fact, fact[0] == chosen, fact[0] == compared) for fact in facts)
    return ParetoData(tuple(marks), "validation", 99.18)


def test_the_front_is_a_line_with_marks():
    lines = pareto.draw(runs(), 80, 9)
    assert text(lines)[0].startswith("Runs · 7 runs, 4 on the Pareto front")
    assert inked(lines, "best").count("◆") == 3
    assert sum("⠀" < char <= "⣿" for char in inked(lines, "front")) >= 10
    assert "○" in inked(lines, "muted")
    assert "×" in inked(lines, "muted")
    assert "■" in inked(lines, "dense")


def test_a_run_far_below_is_marked_at_the_bottom():
    lines = text(pareto.draw(runs(), 80, 9))
    lowest = [float(line.split("%")[0]) for line in lines[2:7] if "%" in line[:6]][-1]
    assert 96 <= lowest <= 98
    assert "▾" in lines[6]
    assert "▾ below" in lines[1]


def test_the_chosen_run_is_named_and_marked():
    lines = pareto.draw(runs("d", "c"), 80, 9)
    title = "Runs · d: 100.0x, 98.60 % · on the Pareto front · ◎ c: 36.9x, 97.45 %"
    assert text(lines)[0].startswith(title)
    assert "◉" in inked(lines, "chosen")
    assert "▸d" in inked(lines, "chosen")
    assert "◎" in inked(lines, "compared")
    assert " c " in inked(lines, "compared")


def test_the_title_names_the_run_that_beats_the_chosen_one():
    title = text(pareto.draw(runs("c"), 80, 9))[0]
    assert title.startswith("Runs · c: 36.9x, 97.45 % · beaten by b: 36.9x, 99.30 %")


def test_accuracies_on_few_images_carry_their_intervals():
    mark = RunMark("a", 12, 80.8, chosen=True)
    lines = pareto.draw(ParetoData((mark,), "validation", 84.6, images=78), 80, 9)
    assert text(lines)[0].startswith("Runs · a: 12.0x, 81 ±9 %")
    assert "dense 85 ±8 %" in inked(lines, "dense")


def test_what_few_images_cannot_tell_apart_is_not_below_the_axis():
    marks = (RunMark("a", 4, 100.0), RunMark("b", 3, 77.8, chosen=True))
    few, many = (
        pareto.draw(ParetoData(marks, "validation", 88.9, images), 80, 12) for images in (9, 9_000)
    )
    assert "◉" in inked(few, "chosen")
    assert "▾" in inked(many, "chosen")


def test_ratios_are_on_a_logarithmic_scale():
    lines = text(pareto.draw(runs("d"), 58, 12))
    assert lines[-1].split() == ["ratio", "1x", "10x", "100x"]
    one, ten_times, hundred = (at for at, char in enumerate(lines[-2]) if char == "┬")
    assert hundred - ten_times == pytest.approx(ten_times - one, abs=1)
    row = next(line for line in lines if "◉" in line)
    assert row.index("◉") == hundred


def test_without_runs_there_is_a_hint():
    lines = pareto.draw(ParetoData((), "validation", 99.18), 80, 9, hint="press x")
    assert inked(lines, "hint").strip() == "press x"


@settings(max_examples=40)
@given(
    dense=st.floats(50, 100),
    runs=st.lists(st.tuples(st.floats(1, 500), st.floats(0, 100)), min_size=1, max_size=6),
)
@example(dense=50.0, runs=[(1.0, 61.0), (2.0, 0.0), (5.0, 0.0), (21.0, 0.0)])
def test_a_run_never_looks_better_than_a_dense_net_that_beats_it(dense, runs):
    marks = tuple(RunMark(f"r{at}", *run) for at, run in enumerate(runs))
    lines = pareto.draw(ParetoData(marks, "validation", dense), 80, 14)[2:-2]
    rows = [row for row, line in enumerate(lines) if any(s.role == "dense" for s in line)]
    marked = [row for row, line in enumerate(text(lines)) if set(line) & set("◆○")]
    assert rows
    if max(accuracy for _, accuracy in runs) < dense:
        assert min(marked, default=len(lines)) >= min(rows)


kinds = st.sampled_from(["finetuned", "stopped", "dense"])
marks = st.builds(RunMark, names, numbers, numbers, kinds, st.booleans(), st.booleans())


@settings(max_examples=50)
@given(area=sizes, runs=st.lists(marks, max_size=12).map(tuple), split=names, dense=numbers)
def test_no_runs_fail(area, runs, split, dense):
    assert_exact(pareto.draw(ParetoData(runs, split, dense), *area), *area)
