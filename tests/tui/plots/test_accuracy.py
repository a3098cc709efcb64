"""How accuracy recovers during fine-tuning."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, sizes, text
from tui.plots import accuracy
from tui.plots.accuracy import AccuracyData
from tui.text.lines import Lines


def finetuning() -> AccuracyData:
    live = tuple((x, 100 - 40 * math.exp(-4 * x), math.exp(-x)) for x in np.arange(0.1, 2.4, 0.1))
    return AccuracyData(5, ((1, 97.9), (2, 98.7)), live, 99.3, (2, 98.7), (1,))


def test_dense_best_and_epochs_that_cannot_be_best_are_marked():
    lines = accuracy.draw(finetuning(), 78, 9)
    assert " dense 99.30 % " in inked(lines, "dense")
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
    assert " dense 85 ±8 % " in inked(lines, "dense")
    assert "◆ best 81 ±9 % (epoch 2)" in text(lines)[0]
    assert "validation 81 ±9 %" in text(lines)[1]


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
    assert "dense 99.30 %" in inked(lines, "dense")


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
