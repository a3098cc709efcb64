"""Costs by weights kept, and budgets of multiplications and time for every method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.allocation import allocate
from core.pruning.budgets.costs import LayerCosts, NetCosts
from core.pruning.budgets.reach import room
from tests.core.measure.scanned_nets import UNIT, Net, cnn5, every_method, nets

POINTS = st.lists(st.tuples(st.integers(1, 99), st.floats(0, 1e6)), max_size=6)


def costs_of(net: Net, per_weight: Sequence[float], fixed: float = 0) -> NetCosts:
    layers = [profile.layer for profile in net.profiles]
    each = {
        layer.name: LayerCosts.per_weight(layer.elements, cost)
        for layer, cost in zip(layers, per_weight, strict=True)
    }
    return NetCosts("macs", each, fixed)


class TestLayerCosts:
    @given(POINTS, st.floats(0, 1e6), st.floats(0, 1e6))
    def test_a_measured_cost_is_no_higher_than_a_denser_one(
        self, points: list[tuple[int, float]], empty: float, full: float
    ) -> None:
        points = [*dict(points).items(), (0, empty), (100, full)]
        costs = LayerCosts.measured(points)
        at = [costs.at(kept) for kept in range(101)]
        assert np.all(np.diff(at) >= -1e-6)
        for kept, _ in points:
            assert at[kept] == pytest.approx(min(c for n, c in points if n >= kept))

    @given(POINTS, st.floats(0, 2e6))
    def test_the_most_weights_for_a_cost(
        self, points: list[tuple[int, float]], cost: float
    ) -> None:
        costs = LayerCosts.measured([*dict(points).items(), (0, 0.0), (100, 1e6)])
        most = costs.most(cost, 100)
        assert costs.at(most) <= cost
        assert most == 100 or costs.at(most + 1) > cost

    def test_weights_that_cost_the_same_add_up(self) -> None:
        costs = LayerCosts.per_weight(147_456, 169)
        assert [costs.at(kept) for kept in (0, 1, 147_456)] == [0, 169, 169 * 147_456]


class TestBudgets:
    @every_method
    @given(nets(), st.data(), UNIT)
    @settings(max_examples=20)
    def test_no_budget_is_exceeded_and_no_weight_more_would_fit(
        self, method: str, net: Net, data: st.DataObject, at: float
    ) -> None:
        uses = st.lists(st.integers(1, 900), min_size=len(net.caps), max_size=len(net.caps))
        costs = costs_of(net, data.draw(uses), fixed=17)
        sizes = {p.layer.name: p.nonzero for p in net.profiles}
        budget = 17 + round(at * (costs.of(sizes) - 17))
        plan = allocate(method, net.profiles, budget, costs, scan=net.scan, dense=net.dense)
        kept = dict(zip(plan, net.kept(plan), strict=True))
        assert costs.of(kept) <= budget
        left = budget - costs.of(kept)
        if method == "dp":
            for name, layer in costs.layers.items():
                assert kept[name] == sizes[name] or layer.at(1) > left
        else:
            assert left < max(layer.at(1) for layer in costs.layers.values()) or kept == sizes

    @every_method
    def test_a_lock_and_a_floor_hold(self, method: str) -> None:
        net = cnn5()
        costs = costs_of(net, [676, 121, 9, 1, 1])
        budget = round(0.25 * costs.dense)
        plan = allocate(
            method,
            net.profiles,
            budget,
            costs,
            locked={"conv2": 0.9},
            scan=net.scan,
            dense=net.dense,
        )
        kept = dict(zip(plan, net.kept(plan), strict=True))
        assert plan["conv2"] == 0.9
        assert 0.999 * budget < costs.of(kept) <= budget


class TestReach:
    COSTS = NetCosts(
        "macs", {"a": LayerCosts.per_weight(100, 50), "b": LayerCosts.per_weight(1000, 1)}, 40
    )
    TIMES = NetCosts("ns", {"a": LayerCosts.measured([(0, 30_000), (100, 90_000)])}, 4_200)

    def test_multiplications_out_of_reach_name_the_least(self) -> None:
        with pytest.raises(InputError) as caught:
            room(30, self.COSTS, {"a": 100, "b": 1000}, {"a": 2})
        assert str(caught.value) == (
            "goal of 30 multiplications: 40 are never pruned and 100 are in locked layers; "
            "expected at least 140, or 2.32 % macs"
        )

    def test_multiplications_that_the_base_has_lost_name_the_most(self) -> None:
        with pytest.raises(InputError) as caught:
            room(6000, self.COSTS, {"a": 50, "b": 1000}, {})
        assert str(caught.value) == (
            "goal of 6,000 multiplications: the base has only 3,540 left; "
            "expected at most 3,540, or 58.6 % macs"
        )

    @pytest.mark.parametrize(
        ("budget", "message"),
        [
            (
                20_000,
                "goal of 0.02 ms: the net takes at least 0.035 ms here, however sparse it is; "
                "expected at least 0.035 ms",
            ),
            (
                200_000,
                "goal of 0.2 ms: the base takes only 0.094 ms here; expected at most 0.094 ms",
            ),
        ],
    )
    def test_a_time_out_of_reach_names_what_is_in_reach(self, budget: int, message: str) -> None:
        with pytest.raises(InputError) as caught:
            room(budget, self.TIMES, {"a": 100}, {})
        assert str(caught.value) == message
