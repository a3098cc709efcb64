"""The heat map of the sensitivity of more than eight layers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.plots.checks import assert_exact, names, numbers, roles, sizes, text
from tests.tui.state.test_layer_rows import TRANSFORMER, resnet
from tui.plots import sensitivity
from tui.plots.drawing.curves import Curve
from tui.plots.sensitivity import MOST_CURVES, SensitivityData

NAN = math.nan
SPARSITIES = [percent / 100 for percent in range(40, 100, 5)]
RESNET18 = resnet((2, 2, 2, 2), 2)
DENSE = 99.0
SIZES = [(60, 5), (60, 9), (80, 10), (58, 24), (120, 14), (98, 45)]


def scanned(
    layers: tuple[str, ...] = RESNET18, chosen: int = 0, half: float = 0.0, **other: object
) -> SensitivityData:
    """Layer after layer falls earlier: the first one loses 0, the last 33 points at 95 %."""

    def curve(name: str, place: int) -> Curve:
        points = ((s, DENSE - 40 * s**9 * place / len(layers), half) for s in SPARSITIES)
        return Curve(name, tuple(points), (0.0, 0.5, 0.65, 0.72, 0.98)[place % 5])

    uniform = tuple((s, DENSE - 80 * s**4, half) for s in (*SPARSITIES, 1.0))
    data = SensitivityData(
        tuple(curve(name, place) for place, name in enumerate(layers)),
        chosen,
        Curve("uniform", uniform),
        DENSE - 1.0,
        1.0,
        DENSE,
        split="validation",
    )
    return replace(data, **other)


def rows(data: SensitivityData, width: int, height: int) -> list[str]:
    """The axis and the rows below it."""
    return text(sensitivity.draw(data, width, height))[2 if height >= 8 else 1 :]


def cells(row: str) -> list[str]:
    """The numbers of a row without marks."""
    return row.translate(dict.fromkeys(map(ord, "▸◆│╎~"), " ")).split()[1:]


def test_eight_layers_are_curves_and_nine_a_map():
    for number in (MOST_CURVES, MOST_CURVES + 1):
        drawn = "".join(text(sensitivity.draw(scanned(RESNET18[:number]), 80, 14)))
        assert ("drop in points" in drawn) == (number > MOST_CURVES)


@pytest.mark.parametrize("area", SIZES)
@pytest.mark.parametrize("layers", [RESNET18, TRANSFORMER], ids=["resnet", "transformer"])
def test_the_selected_layer_is_marked_and_in_sight_wherever_it_is(layers, area):
    for chosen in (0, 1, len(layers) // 2, len(layers) - 2, len(layers) - 1):
        lines = sensitivity.draw(scanned(layers, chosen), *area)
        assert_exact(lines, *area)
        (marked,) = (line for line in text(lines) if line.startswith("▸ "))
        assert layers[chosen].rpartition(".")[2][-3:] in marked
        assert any(
            span.role == "chosen" and span.text.startswith("▸") for line in lines for span in line
        )


@pytest.mark.parametrize("area", SIZES)
def test_visible_rows_are_neighbors_in_order_and_their_names_differ(area):
    shown = [row.split()[0] for row in rows(scanned(TRANSFORMER, 20), *area)[1:]]
    layers = [name for name in shown if name != "uniform"]
    assert (
        len(set(layers))
        == len(layers)
        == area[1] - (3 if area[1] >= 8 else 2) - ("uniform" in shown)
    )


def test_a_row_has_the_drop_in_points_at_every_sparsity():
    axis, *body = rows(scanned(chosen=10), 80, 24)
    assert axis.split() == ["sparsity", "%", *map(str, range(40, 100, 5)), "100"]
    drops = [40 * s**9 * 10 / len(RESNET18) for s in SPARSITIES]
    expected = ["0" if d < 0.05 else f".{round(10 * d)}" if d < 0.95 else f"{d:.0f}" for d in drops]
    (marked,) = (row for row in body if row.startswith("▸"))
    assert cells(marked) == [*expected, "·"]
    assert cells(body[-1])[-1] == "80"


def test_on_a_wide_screen_drops_have_a_decimal():
    (marked,) = (row for row in rows(scanned(chosen=10), 160, 24) if row.startswith("▸"))
    drops = [40 * s**9 * 10 / len(RESNET18) for s in SPARSITIES]
    assert cells(marked) == [*(f"{drop:.1f}" for drop in drops), "·"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("tolerance", [0.5, 1.0, 5.0, 60.0])
def test_a_bar_is_where_a_layer_leaves_the_tolerance(width, tolerance):
    data = scanned(chosen=len(RESNET18) - 1, uniform=None)
    data = replace(data, tolerance=tolerance, tolerance_line=DENSE - tolerance)
    axis, *body = rows(data, width, 12)
    (row,) = (row for row in body if row.startswith("▸"))
    shown = [int(percent) for percent in axis.split()[2:]]
    drops = {round(100 * s): DENSE - y for s, y, _ in data.curves[-1].points}
    within = sum(drops[percent] <= tolerance for percent in shown)
    assert ("│" in row) == (within < len(shown))
    assert len(cells(row.partition("│")[0])) == within
    assert f"│ over {tolerance}" in text(sensitivity.draw(data, width, 12))[1]


def test_colors_grow_with_the_drop_and_follow_the_tolerance():
    lines = sensitivity.draw(scanned(chosen=20), 80, 24)
    row = next(line for line in lines if line[0].text.startswith("▸"))
    heat = [span.role for span in row if span.role.startswith("heat-")]
    levels = ["heat-none", "heat-low", "heat-over", "heat-far"]
    assert heat == sorted(heat, key=levels.index)
    assert set(heat) == set(levels)
    tolerant = sensitivity.draw(scanned(chosen=20, tolerance=50.0), 80, 24)
    assert not {"heat-over", "heat-far"} & roles(tolerant[:-1])


@pytest.mark.parametrize(
    ("planned", "before"),
    [(0.0, 0), (0.399, 0), (0.4, 1), (0.65, 6), (0.66, 6), (0.95, 12), (1.0, 12), (None, None)],
)
@pytest.mark.parametrize("width", [80, 120, 160])
def test_the_plan_is_marked_after_the_last_sparsity_it_reaches(width, planned, before):
    data = scanned(chosen=3, uniform=None)
    curves = tuple(replace(curve, planned=planned) for curve in data.curves)
    for row in rows(replace(data, curves=curves), width, 24)[1 : 1 + len(curves)]:
        assert ("◆" in row) == (planned is not None)
        if before is not None:
            assert len(cells(row.partition("◆")[0] + " ")) == before


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_estimates_are_marked_and_exact_values_are_not(width):
    exact, sampled = (scanned(half=half, uniform=None) for half in (0.0, 0.8))
    assert "~" not in "".join(rows(exact, width, 24))
    assert "~ estimate" in text(sensitivity.draw(sampled, width, 24))[1]
    for row in rows(sampled, width, 24)[1:22]:
        assert row.count("~") + row.count("╎") == len(cells(row))
    half = tuple((s, y, h * (s < 0.7)) for s, y, h in sampled.curves[0].points)
    mixed = replace(sampled, curves=(replace(sampled.curves[0], points=half), *exact.curves[1:]))
    (row,) = (row for row in rows(mixed, width, 24) if row.startswith("▸"))
    assert row.count("~") == sum(
        s < 0.7 for s in SPARSITIES if str(round(100 * s)) in rows(mixed, width, 24)[0].split()
    )


def test_it_fills_as_points_arrive_and_nothing_moves():
    whole = scanned(progress="1,000 of 5,000 images")
    unknown = tuple((s, NAN, 0.0) for s in SPARSITIES)
    arrived = tuple(
        curve if place < 7 else replace(curve, points=unknown)
        for place, curve in enumerate(whole.curves)
    )
    nothing = Curve("uniform", tuple((s, NAN, 0.0) for s in (*SPARSITIES, 1.0)))
    before = sensitivity.draw(replace(whole, curves=arrived, uniform=nothing), 80, 24)
    after = sensitivity.draw(whole, 80, 24)
    assert text(before)[1].startswith("1,000 of 5,000 images")
    assert text(before)[2:10] == text(after)[2:10]
    for one, other in zip(text(before)[10:], text(after)[10:], strict=True):
        assert one.split()[:1] == other.split()[:1]
        assert all(a in (b, "·", " ") for a, b in zip(one, other, strict=True))


def test_before_anything_is_measured_there_is_a_hint():
    points = tuple((s, NAN, 0.0) for s in SPARSITIES)
    curves = tuple(Curve(name, points, 0.5) for name in RESNET18)
    lines = sensitivity.draw(SensitivityData(curves, 0), 80, 9, hint="press x")
    assert "press x" in "".join(text(lines))


def test_a_scan_of_other_weights_is_stale_and_measured_from_its_own_best():
    lines = sensitivity.draw(scanned(stale=True, dense=None), 120, 24)
    assert text(lines)[1].startswith("stale")
    assert not {role for role in roles(lines) if role.startswith("heat-")}
    assert not {"chosen", "uniform"} & roles(lines)
    assert text(lines)[3:] == text(sensitivity.draw(scanned(), 120, 24))[3:]


def test_modules_around_all_layers_are_left_out():
    wrapped = tuple(f"model.net.{name}" for name in RESNET18)
    assert rows(scanned(wrapped), 80, 24) == rows(scanned(), 80, 24)


def test_many_sparsities_are_thinned_to_those_that_fit():
    fine = [percent / 100 for percent in range(40, 96)]
    curves = tuple(Curve(name, tuple((s, 98.0, 0) for s in fine), 0.9) for name in RESNET18)
    axis, row, *_ = rows(SensitivityData(curves, 0, dense=99.0), 80, 12)
    assert axis.split()[2] == "40"
    assert axis.split()[-1] == "95"
    assert cells(row) == ["1"] * len(axis.split()[2:])


points = st.lists(st.tuples(numbers, numbers, numbers), max_size=6).map(tuple)
curves = st.builds(Curve, names, points, numbers)


@settings(max_examples=30)
@given(
    area=sizes,
    data=st.builds(
        SensitivityData,
        curves=st.lists(curves, min_size=MOST_CURVES + 1, max_size=20).map(tuple),
        chosen=st.integers(-3, 30),
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
