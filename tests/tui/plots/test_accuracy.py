"""How accuracy recovers during fine-tuning."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots import accuracy
from tui.plots.accuracy import AccuracyData
from tui.plots.drawing.percents import percent_axis
from tui.text.lines import Lines


def finetuning() -> AccuracyData:
    live = tuple((x, 100 - 40 * math.exp(-4 * x), math.exp(-x)) for x in np.arange(0.1, 2.4, 0.1))
    return AccuracyData(5, ((1, 97.9), (2, 98.7)), live, 99.3, (2, 98.7), (1,))


def test_dense_best_and_epochs_that_cannot_be_best_are_marked():
    lines = accuracy.draw(finetuning(), 78, 9)
    assert text(lines)[1].startswith("╌ dense 99.30 %  ● validation 98.70 %")
    assert "╌" * 9 in inked(lines, "dense")
    assert inked(lines, "best") == "◆"
    assert inked(lines, "muted") == "○"
    assert inked(lines, "batch").strip()
    title = text(lines)[0]
    assert title.startswith(
        "Accuracy · epoch 2.3 of 5 · ◆ best 98.70 % (epoch 2) · ⠒ batch 100.0 %"
    )


def test_accuracies_on_few_images_carry_their_intervals():
    lines = accuracy.draw(
        AccuracyData(5, ((1, 78.2), (2, 80.8)), (), 84.6, (2, 80.8), images=78), 78, 9
    )
    assert "◆ best 81 ±9 % (epoch 2)" in text(lines)[0]
    assert "╌ dense 85 ±8 %  ● validation 81 ±9 %" in text(lines)[1]


LEARNING = {
    "one-shot": (11.0, 98.7, 30.0),
    "gradual": (99.2, 99.0, 3.0),
    "poor": (10.0, 61.0, 2.0),
    "dips": (90.0, 70.0, 5.0),
}


def grown(start: float, end: float, speed: float, dense: float | None, until: float):
    """A training at a moment, with batches that go from one accuracy to another."""
    xs = np.arange(0.02, until, 0.02)
    ys = end + (start - end) * np.exp(-speed * xs) + 0.3 * np.sin(40 * xs)
    live = tuple((x, y, 0.1, 0.001, 0.9) for x, y in zip(xs.tolist(), ys.tolist(), strict=True))
    validation = tuple((float(epoch), end - 1 / epoch) for epoch in range(1, int(until) + 1))
    best = validation[-1] if validation else None
    return AccuracyData(5, validation, live, dense, best, (), highest_rate=0.005)


@pytest.mark.parametrize("dense", [99.28, 71.0, None])
@pytest.mark.parametrize("learning", LEARNING.values(), ids=LEARNING)
def test_the_axis_of_a_training_only_widens_and_seldom(learning, dense):
    limits = [
        accuracy._limits(accuracy._Curves.of(data), data)
        for data in (grown(*learning, dense, until) for until in np.arange(0.1, 5.2, 0.1))
    ]
    axes = [percent_axis(low, high, 12) for low, high in limits]
    for before, after in itertools.pairwise(axes):
        assert after.lower <= before.lower
        assert after.upper >= before.upper
    assert len({(axis.lower, axis.upper) for axis in axes}) <= 4


def test_an_axis_for_a_good_net_begins_near_its_accuracy():
    data = grown(11.0, 98.7, 30.0, 99.28, 0.3)
    low, high = accuracy._limits(accuracy._Curves.of(data), data)
    assert percent_axis(low, high, 10).lower == 98
    assert percent_axis(low, high, 10).upper == 100


def test_a_batch_below_the_axis_is_marked_with_its_value():
    data = AccuracyData(5, live=((0.1, 11.0, 2.0), (0.2, 61.3, 1.0)), dense=99.28)
    bottom = next(line for line in text(accuracy.draw(data, 78, 12)) if "▾" in line)
    assert "▾ 61.3 %" in bottom


@pytest.mark.parametrize(("area", "rows"), [((78, 9), 0), ((78, 14), 1), ((120, 40), 3)])
def test_the_sparsity_and_the_learning_rate_are_below_the_accuracy(area, rows):
    live = tuple((x / 20, 99.0, 0.1, 0.005 * x / 40, x / 50) for x in range(1, 41))
    lines = accuracy.draw(AccuracyData(5, live=live, dense=99.2, highest_rate=0.01), *area)
    assert "sparsity 80 %" in text(lines)[1]
    assert "learning rate 0.005" in text(lines)[1]
    assert ("▄ sparsity" in text(lines)[1]) == bool(rows), "a sign of what is drawn"
    drawn = lines[len(lines) - 2 * rows :] if rows else ()
    assert ["ramp"] * rows + ["rate"] * rows == [line[-1].role for line in drawn]
    if rows:
        full, half = (
            "".join(line[-1].text for line in part) for part in (drawn[:rows], drawn[rows:])
        )
        assert full.rstrip()[-1] == "▇" if rows == 1 else "█" in full
        assert max(half) <= "▄" if rows == 1 else "█" in half


def test_few_images_have_a_band_around_the_validation_accuracy():
    data = AccuracyData(5, ((1, 88.0), (2, 90.0), (3, 91.0)), (), 94.0, images=200)
    assert "░" in inked(accuracy.draw(data, 78, 14), "band")
    many = dataclasses.replace(data, images=10_000)
    assert not inked(accuracy.draw(many, 78, 14), "band")


def test_early_batches_do_not_flatten_the_rest():
    lines = text(accuracy.draw(finetuning(), 78, 9))
    lowest = float(lines[6].split("%")[0])
    assert 95 <= lowest <= 97.9


def test_a_missing_value_is_a_gap():
    ys = [99.0] * 50 + [math.nan] * 50 + [99.0] * 50
    live = tuple((index / 50, y, math.nan) for index, y in enumerate(ys))
    lines = accuracy.draw(AccuracyData(3, live=live), 78, 9)
    row = max(text(lines)[2:7], key=lambda line: sum("⠀" < char <= "⣿" for char in line))
    dots = "".join("x" if "⠀" < char <= "⣿" else " " for char in row)
    assert len(dots.split()) == 2
    assert "loss nan" in text(lines)[0]


def test_before_the_first_run_there_is_a_hint():
    lines = accuracy.draw(AccuracyData(5, dense=99.3), 78, 9, hint="press x")
    assert inked(lines, "hint").strip() == "press x"
    assert text(lines)[1].startswith("╌ dense 99.30 %")


@pytest.mark.parametrize("learning", LEARNING.values(), ids=LEARNING)
def test_the_dense_accuracy_stays_in_its_place_while_training(learning):
    moments = [AccuracyData(5, dense=99.28)]
    moments += [grown(*learning, 99.28, until) for until in np.arange(0.1, 5.2, 0.5)]
    assert {text(accuracy.draw(data, 60, 12))[1][:15] for data in moments} == {"╌ dense 99.28 %"}


def test_one_more_batch_changes_few_cells():
    data = finetuning()
    before = "".join(text(accuracy.draw(data, 78, 9))[2:])
    more = AccuracyData(
        5, data.validation, (*data.live, (2.4, 99.4, 0.09)), data.dense, data.best, (1,)
    )
    after = "".join(text(accuracy.draw(more, 78, 9))[2:])
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 3


@settings(max_examples=60)
@given(
    area=sizes,
    epochs=st.one_of(st.integers(-1, 30), st.just(10**9)),
    validation=st.lists(st.tuples(numbers, numbers), max_size=8),
    live=st.lists(st.tuples(numbers, numbers, numbers), max_size=20),
    dense=numbers,
    best=st.one_of(st.none(), st.tuples(numbers, numbers)),
    hint=names,
)
def test_no_accuracies_fail(area, epochs, validation, live, dense, best, hint):
    data = AccuracyData(epochs, tuple(validation), tuple(live), dense, best, (1.0, math.nan))
    assert_exact(accuracy.draw(data, *area, hint=hint), *area)


def test_changes_smaller_than_a_dot_are_not_drawn():
    def drawn(last: float) -> Lines:
        data = AccuracyData(5, live=((0.1, 97.0, 0.1), (0.9, last, 0.1)), dense=99.18)
        return accuracy.draw(data, 78, 9)[2:]

    first = drawn(98.0)
    assert all(one is other for one, other in zip(first, drawn(98.001), strict=True))
    assert first != drawn(97.5)
