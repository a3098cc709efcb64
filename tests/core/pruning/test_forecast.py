"""The forecast accuracy of a plan, from synthetic scans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.nets.layers import Layer
from core.pruning.curves import Point, Scan
from core.pruning.forecast import drop, forecast
from core.pruning.what_if import Profile

DENSE = 99.0


def profile(name: str, zeros: int = 0) -> Profile:
    weight = np.linspace(0.1, 1.0, 100, dtype=np.float32)
    weight[:zeros] = 0
    return Profile.of(Layer(name, (10, 10), 100, 110), weight)


def scanned(**curves: dict[float, int]) -> Scan:
    layers = {
        name: tuple(Point(sparsity, correct, 1_000) for sparsity, correct in curve.items())
        for name, curve in curves.items()
    }
    return Scan("validation", 1_000, layers, (), "fp32", True, False)


SCAN = scanned(a={0.5: 980, 0.9: 900}, b={0.5: 990, 0.9: 960})
PROFILES = (profile("a"), profile("b"))


def test_the_drops_of_the_layers_are_added_up() -> None:
    plan = {"a": 0.7, "b": 0.9}
    drops = [drop(SCAN, one, plan[one.layer.name], DENSE) for one in PROFILES]
    assert drops == pytest.approx([5.0, 3.0])
    assert forecast(SCAN, PROFILES, plan, DENSE) == pytest.approx(91.0)


def test_a_forecast_never_falls_below_the_lowest_scanned_accuracy() -> None:
    assert forecast(SCAN, PROFILES, {"a": 1.0, "b": 1.0}, DENSE) == 90.0


def test_the_forecast_without_pruning_is_the_dense_accuracy() -> None:
    assert forecast(SCAN, PROFILES, {"a": 0.0, "b": 0.0}, DENSE) == DENSE
    floors = (profile("a", zeros=50), profile("b"))
    assert forecast(SCAN, floors, {"a": 0.5, "b": 0.0}, DENSE) == DENSE


def test_a_scan_of_reconstructed_layers_says_nothing_of_pruned_ones() -> None:
    plan = {"a": 0.7, "b": 0.9}
    assert forecast(replace(SCAN, repair="recalibrate"), PROFILES, plan, DENSE) is not None
    assert forecast(replace(SCAN, repair="reconstruct"), PROFILES, plan, DENSE) is None


def test_there_is_no_forecast_if_a_layer_was_not_scanned() -> None:
    plan = {"a": 0.5, "b": 0.5, "c": 0.5}
    assert forecast(SCAN, (*PROFILES, profile("c")), plan, DENSE) is None
    begun = scanned(a={0.5: 980}, b={})
    assert forecast(begun, PROFILES, plan, DENSE) is None


sparsities = st.floats(0, 1)


@given(sparsities, sparsities, sparsities)
def test_more_sparsity_never_raises_the_forecast(one: float, other: float, b: float) -> None:
    less, more = sorted((one, other))
    first = forecast(SCAN, PROFILES, {"a": less, "b": b}, DENSE)
    second = forecast(SCAN, PROFILES, {"a": more, "b": b}, DENSE)
    assert first is not None
    assert second is not None
    assert first >= second
