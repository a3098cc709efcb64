"""Every method meets a budget to the last weight; budgets out of reach are refused."""

from __future__ import annotations

import math
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.nets.footprint import total
from core.nets.layers import Layer
from core.pruning.allocation import allocate, plan_for_tolerance
from core.pruning.budgets.costs import parameter_costs
from core.pruning.curves import Point
from core.pruning.goals import ALLOCATIONS, parse_goal
from core.pruning.plans import Plan, prune_count
from core.pruning.what_if import Profile
from tests.core.measure.scanned_nets import (
    IMAGES,
    UNIT,
    Net,
    cnn5,
    every_method,
    every_ranking,
    largest_left,
    net_of,
    nets,
    scan_of,
)


class TestEveryMethod:
    @every_method
    @given(nets(), UNIT)
    @settings(max_examples=30)
    def test_the_budget_is_met_to_the_last_weight(self, method: str, net: Net, at: float) -> None:
        weights = round(at * sum(net.caps))
        plan = net.allocate(method, net.fixed + weights)
        assert list(plan) == [profile.layer.name for profile in net.profiles]
        kept = net.kept(plan)
        assert sum(kept) == weights
        for profile, cap, asked in zip(net.profiles, net.caps, kept, strict=True):
            sparsity = plan[profile.layer.name]
            assert profile.floor <= sparsity <= 1
            assert asked <= cap
            assert sparsity == (profile.layer.elements - asked) / profile.layer.elements

    @every_method
    @given(nets(), UNIT)
    @settings(max_examples=30)
    def test_pruning_keeps_as_planned_except_ties(self, method: str, net: Net, at: float) -> None:
        budget = net.fixed + round(at * sum(net.caps))
        plan = net.allocate(method, budget)
        cuts = [profile.what_if(plan[profile.layer.name]) for profile in net.profiles]
        asked = net.kept(plan)
        for weight, cut, wanted in zip(net.weights, cuts, asked, strict=True):
            tied = int(np.count_nonzero(np.abs(weight) == np.float32(cut.threshold)))
            assert wanted - max(0, tied - 1) <= cut.kept <= wanted
        parts = [p.footprint(cut) for p, cut in zip(net.profiles, cuts, strict=True)]
        assert total(parts, net.other).nonzero <= budget

    @every_ranking
    @given(nets(), UNIT, UNIT)
    @settings(max_examples=30)
    def test_a_smaller_budget_keeps_no_more_of_any_layer(
        self, method: str, net: Net, one: float, two: float
    ) -> None:
        light, heavy = (round(at * sum(net.caps)) for at in sorted((one, two)))
        fewer = net.kept(net.allocate(method, net.fixed + light))
        more = net.kept(net.allocate(method, net.fixed + heavy))
        assert all(a <= b for a, b in zip(fewer, more, strict=True))

    @every_ranking
    @given(nets(), UNIT)
    @settings(max_examples=30)
    def test_the_highest_priorities_stay(self, method: str, net: Net, at: float) -> None:
        kept = net.kept(net.allocate(method, net.fixed + round(at * sum(net.caps))))
        lowest, highest_gone = largest_left(method, net, kept)
        assert lowest >= highest_gone * (1 - 1e-12) - 1e-12 * (method == "sensitivity")

    @every_method
    @given(nets(), st.data(), UNIT)
    @settings(max_examples=30)
    def test_locked_layers_stay_as_they_are(
        self, method: str, net: Net, data: st.DataObject, at: float
    ) -> None:
        names = [profile.layer.name for profile in net.profiles]
        chosen = data.draw(st.sets(st.sampled_from(names), max_size=len(names) - 1))
        locked = {name: data.draw(UNIT) for name in sorted(chosen)}
        free = [name not in locked for name in names]
        held = sum(
            min(p.what_if(locked[p.layer.name]).kept, cap)
            for p, cap in zip(net.profiles, net.caps, strict=True)
            if p.layer.name in locked
        )
        weights = round(
            at * sum(cap for cap, is_free in zip(net.caps, free, strict=True) if is_free)
        )
        plan = net.allocate(method, net.fixed + held + weights, locked)
        assert {name: plan[name] for name in locked} == locked
        kept = net.kept(plan)
        assert sum(n for n, is_free in zip(kept, free, strict=True) if is_free) == weights

    @every_ranking
    def test_every_budget_of_a_small_net_is_met(self, method: str) -> None:
        random = np.random.default_rng(0)
        weights = [
            random.normal(size=shape).round(1).astype(np.float32) for shape in [(6, 4), (2, 9)]
        ]
        curve = [(0.5, 480, IMAGES), (0.9, 300, IMAGES)]
        net = net_of(weights, scan_of([curve, curve]), 98.0, True, 0)
        before = [0, 0]
        for budget in range(net.fixed, net.fixed + sum(net.caps) + 1):
            kept = net.kept(net.allocate(method, budget))
            assert sum(kept) == budget - net.fixed
            assert sum(n - b for n, b in zip(kept, before, strict=True)) in (0, 1)
            assert all(n >= b for n, b in zip(kept, before, strict=True))
            before = kept
        assert before == net.caps

    @every_method
    def test_the_shipped_net_is_planned_to_60x_exactly(self, method: str) -> None:
        net = cnn5()
        budget = parse_goal("60x").budget(net.parameters)
        plan = net.allocate(method, budget)
        parts = [p.footprint(p.what_if(plan[p.layer.name])) for p in net.profiles]
        assert (net.parameters, budget) == (228_010, 3_800)
        assert total(parts).nonzero == budget
        assert total(parts).ratio >= 60

    @every_method
    def test_a_budget_of_zero_prunes_every_weight(self, method: str) -> None:
        weights = [np.full((2, 2), 0.5, np.float32), np.zeros((3, 1), np.float32)]
        net = net_of(weights, scan_of([[(0.5, 1, 2)], [(0.5, 1, 2)]]), 90.0, False, 0)
        plan = net.allocate(method, 0)
        assert plan == {"l0": 1.0, "l1": 1.0}
        assert [p.what_if(1.0).kept for p in net.profiles] == [0, 0]
        assert net.allocate(method, 4) == {"l0": 0.0, "l1": 1.0}

    @given(st.integers(1, 10**8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_a_count_survives_conversion_to_a_sparsity(self, counts: tuple[int, int]) -> None:
        kept, elements = counts
        assert prune_count((elements - kept) / elements, elements) == elements - kept

    def test_no_weights_are_copied(self) -> None:
        weight = np.random.default_rng(0).normal(size=(1000, 1000)).astype(np.float32)
        profile = Profile.of(Layer("it", weight.shape, weight.size, weight.size), weight)
        scan = replace(scan_of([]), layers={"it": (Point(0.5, 1, 2),)})
        costs = parameter_costs([profile.layer], weight.size)
        for method in ALLOCATIONS:
            tracemalloc.start()
            try:
                allocate(method, [profile], 20_000, costs, scan=scan, dense=99.0)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < 0.1 * weight.nbytes


class TestOutOfReach:
    def net(self) -> Net:
        weights = [np.ones((10, 20), np.float32), np.ones((30, 10), np.float32)]
        return net_of(weights, scan_of([[(0.5, 1, 2)], [(0.5, 0, 0)]]), 99.0, True, 7)

    @pytest.mark.parametrize(
        ("budget", "locked", "numbers"),
        [
            (46, {}, ("46", "47", "11.63x")),
            (100, {"l0": 0.0}, ("100", "47", "200", "247", "2.21x")),
            (1_548, {}, ("1,548", "547", "1.0x")),
            (400, {"l0": 1.0}, ("400", "347", "locked", "1.58x")),
        ],
    )
    def test_a_budget_out_of_reach_is_refused_with_the_limit(
        self, budget: int, locked: Plan, numbers: tuple[str, ...]
    ) -> None:
        with pytest.raises(InputError) as caught:
            self.net().allocate("magnitude", budget, locked)
        assert [number for number in numbers if number not in str(caught.value)] == []

    @given(nets(), st.booleans())
    @settings(max_examples=50)
    def test_the_ratio_named_in_the_error_is_in_reach(self, net: Net, heavy: bool) -> None:
        least, most = net.fixed, net.fixed + sum(net.caps)
        with pytest.raises(InputError) as caught:
            net.allocate("uniform", most + 1 if heavy else least - 1)
        named = re.search(r"ratio of at (?:least|most) ([\d.,]+x|infx)", str(caught.value))
        assert named is not None
        if named[1] != "infx":
            budget = parse_goal(named[1].replace(",", "")).budget(net.parameters)
            assert budget <= most if heavy else budget >= least

    @pytest.mark.parametrize(
        ("method", "locked", "words"),
        [
            ("random", {}, ("'random'", ", ".join(ALLOCATIONS))),
            ("lamp", {"fc9": 0.5}, ("'fc9'", "l0, l1")),
            ("lamp", {"l0": 1.5}, ("1.5", "l0", "from 0 to 1")),
            ("lamp", {"l0": 0.5, "l1": 0.5}, ("every layer is locked",)),
            ("sensitivity", {}, ("'l1'",)),
        ],
    )
    def test_bad_input_is_refused_by_name(
        self, method: str, locked: Plan, words: tuple[str, ...]
    ) -> None:
        with pytest.raises(InputError) as caught:
            self.net().allocate(method, 300, locked)
        assert [word for word in words if word not in str(caught.value)] == []

    def test_sensitivity_needs_a_scan_of_the_net(self) -> None:
        net = self.net()
        costs = parameter_costs([profile.layer for profile in net.profiles], net.parameters)
        with pytest.raises(InputError, match=r"core\.scan\(model, data\)"):
            allocate("sensitivity", net.profiles, 300, costs)
        with pytest.raises(InputError, match="no layer 'l0'"):
            allocate("sensitivity", net.profiles, 300, costs, scan=cnn5().scan, dense=99.0)

    @pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf])
    def test_a_tolerance_is_a_number_of_points(self, tolerance: float) -> None:
        with pytest.raises(InputError, match=f"{tolerance}: expected 0 or more"):
            plan_for_tolerance(cnn5().profiles, cnn5().scan, 99.0, tolerance)
