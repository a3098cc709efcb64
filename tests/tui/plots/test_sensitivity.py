"""Accuracy against sparsity, layer by layer."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, inked, names, numbers, roles, sizes, text
from tui.plots import sensitivity
from tui.plots.drawing.curves import Curve
from tui.plots.sensitivity import SensitivityData

NAN = math.nan
SPARSITIES = [percent / 100 for percent in range(40, 100, 5)]
# cnn5's scan on validation, dense 99.18 %.
SCAN = {
    "conv1": (99.2, 99.2, 99.1, 99.2, 98.9, 97.98, 97.96, 94.7, 92.0, 92.7, 80.9, 49.7),
    "conv2": (99.3, 99.3, 99.3, 99.2, 99.2, 99.2, 99.2, 99.0, 98.9, 98.3, 97.5, 94.2),
    "conv3": (99.3, 99.2, 99.2, 99.2, 99.3, 99.3, 99.3, 99.3, 99.1, 99.2, 99.0, 97.98),
    "fc1": (99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.1, 99.0),
    "fc2": (99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 99.2, 98.7, 98.4, 92.9, 74.1),
}
PLANNED = (0.65, 0.95, 0.98, 0.98, 0.90)


def scanned(chosen: int = 0, half: float = 0.0, **other: object) -> SensitivityData:
    curves = tuple(
        Curve(name, tuple((s, y, half) for s, y in zip(SPARSITIES, ys, strict=True)), planned)
        for (name, ys), planned in zip(SCAN.items(), PLANNED, strict=True)
    )
    uniform = Curve("uniform", ((0.4, 99.2, 0), (0.65, 98.2, 0), (0.75, 92.2, 0), (1.0, 11.2, 0)))
    data = SensitivityData(curves, chosen, uniform, 98.18, 1.0, 99.18, split="validation")
    return replace(data, **other)


def test_the_title_has_the_chosen_layers_accuracy_and_how_far_it_can_be_pruned():
    title = text(sensitivity.draw(scanned(), 80, 9))[0]
    assert title.startswith("Sensitivity · conv1 at 65 %: 97.98 % · tolerated up to 63 %")


@pytest.mark.parametrize(
    ("chosen", "title"),
    [
        (3, "Sensitivity · fc1 scanned to 95 %: 99.00 % · tolerated up to 95 % or more"),
        (4, "Sensitivity · fc2 at 90 %: 92.90 % · tolerated up to 85 %"),
    ],
)
def test_beyond_the_scan_the_title_has_the_last_measured_accuracy(chosen, title):
    assert text(sensitivity.draw(scanned(chosen), 80, 9))[0].startswith(title)


def test_a_sample_comes_with_its_interval():
    lines = sensitivity.draw(scanned(half=0.84), 80, 9)
    assert text(lines)[0].startswith(
        "Sensitivity · conv1 at 65 %: 98.0 ±0.8 % · tolerated up to about 63 %"
    )
    assert "95 % confidence" in text(lines)[1]
    exact = sensitivity.draw(scanned(), 80, 9)
    assert "░" in inked(lines, "band")
    assert not inked(exact, "band").strip()


def test_few_images_have_their_intervals_in_the_title():
    title = text(sensitivity.draw(scanned(half=2.6, images=120), 80, 9))[0]
    assert title.startswith("Sensitivity · conv1 at 65 %: 98 ±3 % · tolerated up to about 63 %")
    wide = text(sensitivity.draw(scanned(half=2.6, images=120), 120, 9))[0]
    assert wide.rstrip().endswith("base 99 ±2 %")
    many = text(sensitivity.draw(scanned(images=5_000), 120, 9))[0]
    assert "98.0" not in many
    assert "base 99.18 %" in many


@pytest.mark.parametrize("chosen", range(5))
@pytest.mark.parametrize("area", [(80, 9), (120, 14)])
def test_the_chosen_curve_is_in_front_and_named(chosen, area):
    lines = sensitivity.draw(scanned(chosen), *area)
    drawn = inked(lines, "chosen")
    assert f"▸{list(SCAN)[chosen]}" in drawn
    assert {0: "◆", 1: "▾", 4: "▾"}.get(chosen, "98 %") in drawn
    assert sum("⠀" < char <= "⣿" for char in drawn) >= 20


def test_all_layers_are_named_if_there_is_room():
    lines = "\n".join(text(sensitivity.draw(scanned(), 120, 14))[2:])
    assert all(name in lines for name in (*SCAN, "uniform"))


def test_the_mark_lies_at_its_sparsity_and_its_accuracy():
    lines = text(sensitivity.draw(scanned(), 80, 16))
    row = next(index for index, line in enumerate(lines) if "◆" in line and index > 1)
    left, right = (lines[-1].index(f"{x} %") + 1 for x in (40, 90))
    assert lines[row].index("◆") == pytest.approx(left + (right - left) * 25 / 50, abs=1)
    assert row in (
        next(i for i, line in enumerate(lines) if line.startswith("    98 %")) + k
        for k in (-1, 0, 1)
    )


def test_steep_drops_do_not_flatten_what_is_near_the_tolerance():
    lines = text(sensitivity.draw(scanned(), 80, 9))
    ticks = [float(line.split("%")[0]) for line in lines[2:7] if "%" in line[:8]]
    assert min(ticks) >= 95
    assert max(ticks) <= 100
    assert "tolerance 1.0: 98.18 %" in "".join(lines[2:7])


def test_a_curve_that_leaves_the_area_is_not_drawn_along_the_bottom():
    line = Curve("fc", ((0.4, 99.0, 0), (0.5, 10.0, 0), (0.95, 10.0, 0)))
    data = SensitivityData((line,), 0, None, 98.0, 1.0, 99.0)
    bottom = text(sensitivity.draw(data, 80, 9))[6]
    assert sum("⠀" < char <= "⣿" for char in bottom) <= 2


def test_a_plan_beyond_the_scan_is_marked_at_the_edge_with_its_value():
    curve = replace(scanned().curves[0], planned=0.2)
    data = replace(scanned(), curves=(curve, *scanned().curves[1:]))
    lines = text(sensitivity.draw(data, 80, 9))
    assert lines[0].startswith("Sensitivity · conv1 at 20 %: 99.19 %")
    assert "40 %" in lines[-1]
    assert "«" in inked(sensitivity.draw(data, 80, 9), "chosen")
    assert "20 %" in inked(sensitivity.draw(data, 80, 9), "chosen")
    assert "»" in inked(sensitivity.draw(scanned(2), 80, 9), "chosen")


@pytest.mark.parametrize("area", [(60, 8), (80, 11), (120, 20)])
def test_neither_the_plan_nor_the_selected_layer_moves_the_axes(area):
    def axes(**changes: object) -> list[str]:
        lines = text(sensitivity.draw(scanned(**changes), *area))
        return [line[:9] for line in lines[2:]] + lines[-1:]

    first = axes()
    for sparsity in (0.0, 0.2, 0.7, 1.0):
        curves = tuple(replace(curve, planned=sparsity) for curve in scanned().curves)
        assert axes(curves=curves) == first
    for chosen in range(5):
        assert [line[:9] for line in axes(chosen=chosen, half=0.9)] == [line[:9] for line in first]


def test_a_missing_point_is_a_gap():
    points = tuple((s, NAN if 0.6 <= s <= 0.7 else 99.0, 0) for s in SPARSITIES)
    data = SensitivityData((Curve("fc", points),), 0, None, 98.0, 1.0, 99.0)
    row = max(text(sensitivity.draw(data, 80, 9))[2:7], key=lambda line: line.count("⠒"))
    dots = "".join("x" if "⠀" < char <= "⣿" else " " for char in row)
    assert len(dots.split()) == 2


@pytest.mark.parametrize("area", [(80, 9), (60, 6), (44, 5)])
def test_a_scan_of_other_weights_is_stale(area):
    lines = sensitivity.draw(scanned(stale=True), *area)
    assert "stale" in "".join(text(lines)[:2])
    assert not {"chosen", "uniform"} & roles(lines)


def test_a_running_scan_shows_its_progress():
    progress = scanned(progress="2,000 of 5,000 images")
    assert text(sensitivity.draw(progress, 80, 9))[1].startswith("2,000 of 5,000 images")


def test_before_the_scan_there_is_a_hint():
    data = SensitivityData((Curve("conv1"), Curve("conv2")), 0, None, 98.18, 1.0, 99.18)
    lines = sensitivity.draw(data, 80, 9, hint="press x")
    assert inked(lines, "hint").strip() == "press x"
    assert "tolerance 1.0: 98.18 %" in inked(lines, "threshold")


def test_sixty_layers_show_with_the_chosen_one_named():
    curves = tuple(
        Curve(
            f"features.{i}.weight", tuple((s, 99 - i * s**9, 0) for s in SPARSITIES), 0.5 + i / 200
        )
        for i in range(60)
    )
    for chosen in (0, 31, 59):
        lines = sensitivity.draw(SensitivityData(curves, chosen, None, 98.0, 1.0, 99.0), 120, 14)
        assert_exact(lines, 120, 14)
        assert f"{chosen}.weight" in inked(lines, "chosen")


points = st.lists(st.tuples(numbers, numbers, numbers), max_size=6).map(tuple)
curves = st.builds(Curve, names, points, numbers)


@settings(max_examples=50)
@given(
    area=sizes,
    data=st.builds(
        SensitivityData,
        curves=st.lists(curves, max_size=5).map(tuple),
        chosen=st.integers(-3, 8),
        uniform=st.one_of(st.none(), curves),
        tolerance_line=numbers,
        tolerance=st.floats(),
        dense=numbers,
        stale=st.booleans(),
        progress=names,
        split=names,
    ),
)
def test_no_curves_fail(area, data):
    assert_exact(sensitivity.draw(data, *area), *area)


fractions = st.tuples(st.floats(0, 1), st.floats(0, 100), st.floats(0, 100))
plausible = st.builds(Curve, names, st.lists(fractions, max_size=6).map(tuple), st.floats(0, 1))


@settings(max_examples=50)
@given(
    area=sizes,
    curves=st.lists(plausible, max_size=5).map(tuple),
    line=st.floats(0, 100),
    dense=st.one_of(st.none(), st.floats(0, 100)),
)
def test_no_plausible_curves_fail(area, curves, line, dense):
    data = SensitivityData(curves, 0, curves[0] if curves else None, line, 1.0, dense)
    assert_exact(sensitivity.draw(data, *area), *area)
