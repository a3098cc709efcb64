"""What holds for every plot."""

import csv
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, sizes, text
from tests.tui.plots.predictions.test_confusion import confused
from tests.tui.plots.predictions.test_images import ten
from tests.tui.plots.runs.test_pareto import runs
from tests.tui.plots.runs.test_training_curves import two
from tests.tui.plots.runs.test_two_weights import weights as two_layers
from tests.tui.plots.test_accuracy import finetuning
from tests.tui.plots.test_costs import LENET, MAX_UNFOLDED
from tests.tui.plots.test_files import DATA
from tests.tui.plots.test_histogram import weights
from tests.tui.plots.test_layer_bars import bars
from tests.tui.plots.test_sensitivity import scanned
from tests.tui.plots.test_sensitivity_map import scanned as mapped
from tests.tui.plots.test_speed import KNOWN
from tui.plots import accuracy, costs, files, histogram, layer_bars, sensitivity, speed
from tui.plots.layer_bars import PARAMETERS, SIZE
from tui.plots.predictions import confusion, images
from tui.plots.runs import pareto, training_curves, two_weights
from tui.plots.view import View

EXAMPLES = {
    "histogram": (histogram.draw, weights()),
    "accuracy": (accuracy.draw, finetuning()),
    "sensitivity": (sensitivity.draw, scanned()),
    "stale sensitivity": (sensitivity.draw, scanned(half=1.3, stale=True)),
    "sensitivity of many layers": (sensitivity.draw, mapped()),
    "stale sensitivity of many layers": (sensitivity.draw, mapped(half=1.3, stale=True)),
    "parameters": (layer_bars.draw, bars(PARAMETERS)),
    "size": (layer_bars.draw, bars(SIZE)),
    "files": (files.draw, DATA),
    "speed": (speed.draw, KNOWN),
    "costs": (costs.draw, LENET),
    "costs of many layers": (costs.draw, MAX_UNFOLDED),
    "predictions": (images.draw, ten()),
    "predictions of one net": (images.draw, ten(pruned=False)),
    "confusion": (confusion.draw, confused()),
    "confusion of 100 classes": (confusion.draw, confused(100)),
    "runs": (pareto.draw, runs()),
    "two runs": (pareto.draw, runs("d", "c")),
    "curves of two runs": (training_curves.draw, two()),
    "weights of two runs": (two_weights.draw, two_layers()),
}
each = pytest.mark.parametrize(("draw", "data"), EXAMPLES.values(), ids=EXAMPLES)


@each
@settings(max_examples=25)
@given(area=sizes)
def test_every_area_is_filled_exactly(draw, data, area):
    assert_exact(draw(data, *area), *area)


@each
@pytest.mark.parametrize("area", [(20, 4), (44, 5), (58, 12), (80, 9), (120, 14), (200, 60)])
def test_the_usual_areas_show_something(draw, data, area):
    lines = draw(data, *area)
    assert_exact(lines, *area)
    assert all(line.strip() for line in (text(lines)[0], *text(lines)[2:3]))


@each
@settings(max_examples=8)
@given(area=sizes, row=st.integers(-2, 60), column=st.integers(-2, 12), other=st.booleans())
def test_a_plot_in_a_frame_has_a_cursor_and_either_scale(draw, data, area, row, column, other):
    assert_exact(draw(data, *area, view=View(False, row, column, other)), *area)


@each
def test_a_frame_shows_the_title_so_the_plot_does_not(draw, data):
    title = "".join(span.text for span in sys.modules[draw.__module__].title(data))
    whole, framed = draw(data, 120, 14), draw(data, 120, 14, view=View(header=False))
    assert text(whole)[0].rstrip() in title
    assert title not in "\n".join(text(framed))


@each
def test_every_plot_has_its_data_as_a_table(draw, data):
    table = sys.modules[draw.__module__].table(data)
    assert table.rows > 0
    lines = table.csv().splitlines()
    assert len(lines) == table.rows + 1
    assert {len(row) for row in csv.reader(lines)} == {len(table.columns)}
    column = table.keys
    for row in range(table.rows):
        assert table.readout(row, column)
    for right, down in ((-9, 0), (10**6, 0), (0, -9), (0, 10**6)):
        row, column = table.moved(table.rows // 2, column, right, down)
        assert 0 <= row < table.rows
        assert table.keys <= column < len(table.columns)


@each
def test_drawing_twice_gives_the_same_and_prints_nothing(draw, data, capfd):
    assert draw(data, 80, 9) == draw(data, 80, 9)
    assert capfd.readouterr() == ("", "")
