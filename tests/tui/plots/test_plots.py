import math
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.plots import accuracy, histogram, layer_bars
from tui.plots.accuracy import AccuracyData
from tui.plots.drawing.weight_bins import bins
from tui.plots.histogram import HistogramData
from tui.plots.layer_bars import PARAMETERS, SIZE, LayerBarsData
from tui.text.lines import ROLES, Lines

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")
DENSE = (832, 25_632, 51_264, 147_712, 2_570)
KEPT = (312, 1_312, 1_088, 3_205, 266)
NAN, INF = math.nan, math.inf


def weights(sparsity: float = 0.95, width: int = 78) -> HistogramData:
    values = np.random.default_rng(0).normal(0, 0.03, 25_600)
    threshold = float(np.quantile(np.abs(values), sparsity))
    counts, edges = np.histogram(values, bins=bins(width))
    kept, _ = np.histogram(values[np.abs(values) > threshold], bins=edges)
    return HistogramData("conv2", edges, counts, kept, threshold)


def finetuning() -> AccuracyData:
    live = tuple((x, 100 - 40 * math.exp(-4 * x), math.exp(-x)) for x in np.arange(0.1, 2.4, 0.1))
    return AccuracyData(5, ((1, 97.9), (2, 98.7)), live, 99.3, (2, 98.7), (1,))


def text(lines: Lines) -> list[str]:
    return ["".join(span.text for span in line) for line in lines]


def roles(lines: Lines) -> set[str]:
    return {span.role for line in lines for span in line}


def inked(lines: Lines, role: str) -> str:
    """What of a role is drawn below the title and the legend."""
    return "".join(span.text for line in lines[2:] for span in line if span.role == role)


def assert_exact(lines: Lines, width: int, height: int) -> None:
    assert len(lines) == max(0, height)
    for line in text(lines):
        assert len(line) == max(0, width)
        assert all(unicodedata.east_asian_width(char) not in "WF" for char in line)
    assert roles(lines) <= set(ROLES)


ALL = {
    "histogram": (histogram.draw, weights()),
    "parameters": (layer_bars.draw, LayerBarsData(PARAMETERS, LAYERS, DENSE, KEPT, 1)),
    "size": (layer_bars.draw, LayerBarsData(SIZE, LAYERS, DENSE, KEPT, 1)),
    "accuracy": (accuracy.draw, finetuning()),
}
each_plot = pytest.mark.parametrize(("draw", "data"), ALL.values(), ids=ALL)
sizes = st.tuples(st.integers(-1, 130), st.integers(-1, 45))
numbers = st.one_of(
    st.floats(), st.floats(0, 100), st.sampled_from([NAN, INF, -INF, 1e308, None, 0, 10**18])
)
names = st.text(max_size=30)


@each_plot
@settings(max_examples=25)
@given(area=sizes)
def test_every_area_is_filled_exactly(draw, data, area):
    assert_exact(draw(data, *area), *area)


@each_plot
@pytest.mark.parametrize(
    "area", [(20, 4), (44, 5), (58, 5), (78, 8), (78, 9), (100, 30), (200, 60)]
)
def test_the_usual_areas_show_a_plot(draw, data, area):
    lines = draw(data, *area)
    assert_exact(lines, *area)
    assert "axis" in roles(lines)


@each_plot
def test_drawing_twice_gives_the_same(draw, data):
    assert draw(data, 78, 9) == draw(data, 78, 9)


@pytest.mark.parametrize("area", [(58, 5), (78, 9), (100, 30)])
@pytest.mark.parametrize("sparsity", [0.5, 0.98, 0.999])
def test_survivors_show_however_few(sparsity, area):
    lines = histogram.draw(weights(sparsity, area[0]), *area)
    survivors = inked(lines, "kept") if area[1] > 5 else "".join(text(lines)[1:])
    assert set(survivors) & set("▁▂▃▄▅▆▇█")
    assert "⣿" in "".join(text(lines)[1:])


def test_a_single_survivor_shows_whatever_the_number_of_bins():
    counts, kept = np.full(5000, 1000), np.zeros(5000, int)
    kept[4321] = 1
    data = HistogramData("fc1", np.linspace(-1, 1, 5001), counts, kept, 0.7)
    assert inked(histogram.draw(data, 78, 9), "kept").strip()


def test_the_threshold_stands_on_both_sides():
    lines = text(histogram.draw(weights(), 78, 9))
    left, right = (index for index, char in enumerate(lines[4]) if char == "┊")
    zero = lines[8].index(" 0 ") + 1
    assert zero - left == pytest.approx(right - zero, abs=1)
    assert "threshold ±0.0585" in lines[1]


def test_a_histogram_says_what_its_axes_are():
    lines = text(histogram.draw(weights(), 78, 9))
    assert lines[0].startswith("conv2 weights: ⣿ 25,600, █ kept 1,280 (5.0 %)")
    assert lines[1].startswith("count, √ scale")
    assert lines[8].startswith("weight")


@pytest.mark.parametrize(
    ("edges", "counts"),
    [([], []), ([0], []), ([0, NAN], [1]), ([0, 0], [1]), ([0, 1e300], [1]), ([0, 1], [1, 2])],
)
def test_bins_that_cannot_be_drawn_say_so(edges, counts):
    data = HistogramData("fc1", np.array(edges), np.array(counts), np.array(counts), 0.1)
    assert "no weights to show" in "".join(text(histogram.draw(data, 78, 9)))


def test_bars_carry_names_and_numbers():
    lines = text(layer_bars.draw(LayerBarsData(PARAMETERS, LAYERS, DENSE, KEPT, 1), 78, 9))
    assert lines[0].startswith("parameters  ░ 228,010 dense  █ 6,183 kept (2.7 %)")
    assert lines[2].startswith("▸ conv2┤▌░")
    assert lines[2].endswith("25,632 → 1,312  5.1 %")
    assert all(any(layer in line for line in lines) for layer in LAYERS)


def test_bars_are_as_long_as_their_numbers():
    lines = text(
        layer_bars.draw(LayerBarsData(PARAMETERS, ("a", "b"), (1000, 500), (0, 0), 0), 78, 9)
    )
    full, half = (line.count("░") for line in (lines[1], lines[4]))
    assert full == pytest.approx(2 * half, abs=1)
    assert "█" not in "".join(lines[1:])


def test_the_window_follows_the_chosen_layer():
    layers = tuple(f"features.{index}" for index in range(30))
    for chosen in (-5, 0, 15, 29, 99):
        data = LayerBarsData(PARAMETERS, layers, (100,) * 30, (10,) * 30, chosen)
        lines = text(layer_bars.draw(data, 78, 9))
        name = layers[min(max(chosen, 0), 29)]
        assert sum(line.startswith(f"▸ {name}") for line in lines) == 1
        assert lines[0].endswith("22 hidden of 30 layers")


@pytest.mark.parametrize("area", [(58, 5), (78, 9), (78, 20)])
def test_the_size_of_all_layers_always_shows(area):
    layers = tuple(f"features.{index}" for index in range(30))
    lines = text(layer_bars.draw(LayerBarsData(SIZE, layers, (4096,) * 30, (1024,) * 30, 3), *area))
    assert any(line.startswith("  all") and "120.0 KiB → " in line for line in lines)
    assert "█ 30.0 KiB pruned (4.0x)" in lines[0]


def test_accuracies_show_dense_best_and_what_cannot_be_best():
    lines = accuracy.draw(finetuning(), 78, 9)
    assert " dense 99.30 % " in inked(lines, "dense")
    assert inked(lines, "best") == "◆"
    assert inked(lines, "muted") == "○"
    assert inked(lines, "batch").strip()
    title = text(lines)[0]
    assert title.startswith("epoch 2.3 of 5, ◆ best 98.70 % (epoch 2), ⠒ batch 100.0 %, loss 0.100")


def test_early_batches_do_not_flatten_the_rest():
    lines = text(accuracy.draw(finetuning(), 78, 9))
    lowest = float(lines[6].split("%")[0])
    assert 95 <= lowest <= 97.9


def test_a_missing_value_is_a_gap():
    ys = [99.0] * 50 + [NAN] * 50 + [99.0] * 50
    live = tuple((index / 50, y, NAN) for index, y in enumerate(ys))
    lines = accuracy.draw(AccuracyData(3, live=live), 78, 9)
    row = max(text(lines)[2:7], key=lambda line: sum("⠀" < char <= "⣿" for char in line))
    dots = "".join("x" if "⠀" < char <= "⣿" else " " for char in row)
    assert len(dots.split()) == 2
    assert "loss nan" in text(lines)[0]


def test_before_the_first_run_a_hint_stands_in_the_middle():
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


@settings(max_examples=60)
@given(
    area=sizes,
    rows=st.lists(st.tuples(names, numbers, numbers), max_size=20),
    chosen=st.integers(-3, 30),
)
def test_no_bars_fail(area, rows, chosen):
    columns = tuple(zip(*rows, strict=True)) if rows else ((), (), ())
    assert_exact(layer_bars.draw(LayerBarsData(PARAMETERS, *columns, chosen), *area), *area)
    assert_exact(layer_bars.draw(LayerBarsData(SIZE, *columns, chosen), *area), *area)


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
    data = AccuracyData(epochs, tuple(validation), tuple(live), dense, best, (1.0, NAN))
    assert_exact(accuracy.draw(data, *area, hint=hint), *area)


@each_plot
def test_nothing_is_printed(draw, data, capfd):
    draw(data, 78, 9)
    assert capfd.readouterr() == ("", "")


def test_importing_the_plots_loads_neither_plotext_nor_textual():
    check = "import sys, tui.plots; print({'plotext', 'textual', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_what_differs_by_less_than_a_dot_is_not_drawn_again():
    def drawn(last: float) -> Lines:
        data = AccuracyData(5, live=((0.1, 97.0, 0.1), (0.9, last, 0.1)), dense=99.18)
        return accuracy.draw(data, 78, 9)[2:]

    first = drawn(98.0)
    assert all(one is other for one, other in zip(first, drawn(98.001), strict=True))
    assert first != drawn(97.5)
