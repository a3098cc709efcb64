"""Accuracy over sparsity, cleaned for drawing."""

import math

import pytest

from tui.plots.drawing.curves import Curve, CurvePath, Curves

POINTS = ((0.9, 50.0, 0.0), (0.5, 98.0, 1.0), (0.7, math.nan, 0.0), (2.0, 1.0, 0.0))


def test_a_path_is_sorted_and_starts_at_the_dense_net() -> None:
    path = CurvePath.of(Curve("fc", POINTS, planned=0.6), 99.0)
    assert path.x.tolist() == pytest.approx([0, 50, 70, 90])
    assert path.y[[0, 1, 3]].tolist() == [99.0, 98.0, 50.0]
    assert math.isnan(path.y[2])
    assert path.scanned == pytest.approx((50, 90))
    assert path.planned == 60
    assert CurvePath.of(Curve("fc", POINTS), math.nan).x[0] == 50


def test_accuracies_are_interpolated_and_clamped_to_the_scan() -> None:
    path = CurvePath.of(Curve("fc", ((0.5, 98.0, 1.0), (0.9, 50.0, 0.0))), math.nan)
    assert path.at(70) == pytest.approx((70, 74, 0.5))
    assert path.at(10) == pytest.approx((50, 98, 1))
    assert path.sparsity_above(74) == pytest.approx(70)
    assert path.sparsity_above(10) == pytest.approx(90)
    assert math.isnan(path.sparsity_above(99))


def test_the_chosen_curve_is_drawn_last_and_unmeasured_ones_are_not() -> None:
    chosen, other = (CurvePath.of(Curve(name, POINTS), 99.0) for name in ("fc1", "fc2"))
    empty = CurvePath.of(Curve("fc3"), 99.0)
    curves = Curves(chosen, None, (other, empty), 98.0, 1.0, 99.0, stale=False)
    assert [path.name for path in curves.drawn] == ["fc2", "fc1"]
    assert [curves.role(path) for path in curves.drawn] == ["series-1", "chosen"]
    assert curves._replace(stale=True).role(chosen) == "muted"
