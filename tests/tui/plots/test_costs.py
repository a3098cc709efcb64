"""What each layer costs."""

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, sizes, text
from tui.plots import costs
from tui.plots.costs import CostsData, CostsRow

LENET = CostsData(
    rows=(
        CostsRow("conv1", 500, 66.0, 576_000.0, 55.68, 66.0, ("82", "66", "66")),
        CostsRow("conv2", 25_000, 12.0, 3_200_000.0, 31.17, 6.68, ("72", "12", "10")),
        CostsRow("fc1", 400_000, 8.0, 800_000.0, 35.75, 2.49, ("55", "8", "6")),
        CostsRow("fc2", 5_000, 19.0, 10_000.0, 100.0, 6.79, ("100", "19", "10")),
    ),
    total=CostsRow("total", 430_500, 8.43, 4_586_000.0, 48.73, 13.4, ("77", "8", "16")),
    chosen=1,
    caption="pruned, 5,000 validation images",
)
MAX_UNFOLDED = CostsData(
    rows=tuple(CostsRow(f"features.{place}.conv", 9_000, 50.0) for place in range(500)),
    total=CostsRow("total", 4_500_000, 50.0),
    chosen=250,
    caption="counting activations",
)


def test_all_columns_show_if_there_is_room():
    shown = text(costs.draw(LENET, 100, 9))
    assert shown[0].startswith("Cost per layer")
    assert shown[0].rstrip().endswith("pruned, 5,000 validation images")
    rows = [" ".join(line.split()) for line in shown]
    assert rows[1] == "layer weights kept % FLOP % act % FLOPs paper: kept FLOP act"
    assert rows[3] == "conv2 25,000 12.00 6.68 31.17 3.2M 12 10 72"
    assert rows[6] == "total 430,500 8.43 13.40 48.73 4.6M 8 16 77"


def test_the_title_goes_before_a_layer_does():
    low, high = (text(costs.draw(LENET, 60, height)) for height in (6, 7))
    rows = ["conv1", "conv2", "fc1", "fc2", "total"]
    assert [line.split()[0] for line in low] == ["Cost", *rows]
    assert high[0].startswith("Cost per layer")
    assert [line.split()[0] for line in high[1:]] == ["layer", *rows]


def test_the_papers_columns_are_dropped_first_and_together():
    widths = {}
    for width in range(20, 101):
        widths[width] = len(text(costs.draw(LENET, width, 9))[3].split())
    assert set(widths.values()) <= {2, 3, 4, 5, 6, 9}
    assert [*widths.values()] == sorted(widths.values())


def test_the_chosen_layer_and_the_totals_are_always_visible():
    for chosen in (0, 1, 250, 499):
        shown = text(costs.draw(replace(MAX_UNFOLDED, chosen=chosen), 60, 8))
        assert any(line.split()[0].endswith(f".{chosen}.conv") for line in shown)
        assert shown[-1].startswith("total") or shown[-2].startswith("total")


def test_unknown_values_are_dashes():
    row = text(costs.draw(MAX_UNFOLDED, 80, 8))[2].split()
    assert row[2:] == ["50.00", "–", "–", "–"]


def test_a_sample_has_intervals_and_what_no_pruning_saves_a_row():
    rows = (
        CostsRow("mix", 500, 66.0, 576_000.0, 55.68, 66.0, within=1.234),
        CostsRow("not prunable", None, None, 9_000.0, flops_kept=100.0),
    )
    total = CostsRow("partial total", 500, 66.0, 585_000.0, 55.68, 66.5, within=1.2)
    data = CostsData(rows, total, 0, "pruned, 200 of 5,000 images", ", without book")
    shown = text(costs.draw(data, 80, 6))
    assert shown[0].rstrip().endswith("pruned, 200 of 5,000 images, without book")
    cells = [" ".join(line.split()) for line in shown]
    assert cells[2] == "mix 500 66.00 66.00 55.68 ±1.23 576,000"
    assert cells[3] == "not prunable – – 100.00 – 9,000"
    assert cells[4].startswith("partial total 500")


@settings(max_examples=50)
@given(
    area=sizes,
    name=names,
    value=st.sampled_from([None, 0.0, math.nan, math.inf, 1e300, 50.0]),
    chosen=st.integers(-3, 9),
)
def test_no_costs_fail(area, name, value, chosen):
    row = CostsRow(name, 5, 1.0, value, value, value)
    data = CostsData((row, row), replace(row, paper=("1", "2", "3")), chosen, name)
    assert_exact(costs.draw(data, *area), *area)
