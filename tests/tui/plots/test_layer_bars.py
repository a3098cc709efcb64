"""Parameters and size per layer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, numbers, sizes, text
from tui.plots import layer_bars
from tui.plots.layer_bars import PARAMETERS, SIZE, LayerBarsData, Style

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")
DENSE = (832, 25_632, 51_264, 147_712, 2_570)
KEPT = (312, 1_312, 1_088, 3_205, 266)


def bars(style: Style) -> LayerBarsData:
    return LayerBarsData(style, LAYERS, DENSE, KEPT, 1)


def test_bars_carry_names_and_numbers():
    lines = text(layer_bars.draw(bars(PARAMETERS), 78, 9))
    assert lines[0].startswith("Parameters · 6,183 of 228,010 kept (2.7 %)")
    row = next(line for line in lines if line.startswith("▸ conv2┤"))
    assert row.endswith("25,632 → 1,312  5.1 %")
    assert all(any(layer in line for line in lines) for layer in LAYERS)


def test_bars_are_as_long_as_their_numbers():
    lines = text(
        layer_bars.draw(LayerBarsData(PARAMETERS, ("a", "b"), (1000, 500), (0, 0), 0), 78, 9)
    )
    full, half = (line.count("░") for line in lines[2:] if "░" in line)
    assert full == pytest.approx(2 * half, abs=1)
    assert "█" not in "".join(lines[2:])


def test_the_window_follows_the_chosen_layer():
    layers = tuple(f"features.{index}" for index in range(30))
    for chosen in (-5, 0, 15, 29, 99):
        data = LayerBarsData(PARAMETERS, layers, (100,) * 30, (10,) * 30, chosen)
        lines = text(layer_bars.draw(data, 78, 9))
        name = layers[min(max(chosen, 0), 29)]
        assert sum(line.startswith(f"▸ {name}") for line in lines) == 1
        assert lines[1].rstrip().endswith("23 of 30 layers hidden")


@pytest.mark.parametrize("area", [(58, 5), (78, 9), (78, 20)])
def test_the_size_of_all_layers_always_shows(area):
    layers = tuple(f"features.{index}" for index in range(30))
    lines = text(layer_bars.draw(LayerBarsData(SIZE, layers, (4096,) * 30, (1024,) * 30, 3), *area))
    assert any(line.startswith("  all") and "120.0 KiB → " in line for line in lines)
    assert "120.0 KiB → 30.0 KiB (4.0x)" in lines[0]


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
