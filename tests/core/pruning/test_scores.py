"""The ranking of each allocation method, against its formula computed literally."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.nets.layers import Layer
from core.pruning.allocation import plan_for_tolerance
from core.pruning.curves import Point
from core.pruning.goals import Goal
from core.pruning.scores import (
    LEVEL,
    LampRanking,
    MagnitudeRanking,
    SensitivityRanking,
    sensitivity,
)
from core.pruning.what_if import Profile
from tests.core.measure.scanned_nets import (
    IMAGES,
    UNIT,
    Floats,
    Net,
    cnn5,
    descending,
    lamp_scores,
    net_of,
    nets,
    scan_of,
    weights_of,
)


class TestUniform:
    @given(nets(), UNIT)
    @settings(max_examples=50)
    def test_uniform_sparsities_are_equal_within_one_weight(self, net: Net, at: float) -> None:
        kept = net.kept(net.allocate("uniform", net.fixed + round(at * sum(net.caps))))
        free = [(n, w.size) for n, w, c in zip(kept, net.weights, net.caps, strict=True) if n < c]
        highest = max(((n - 0.5) / size for n, size in free if n), default=0.0)
        lowest = min(((n + 0.5) / size for n, size in free), default=1.0)
        assert highest <= lowest + 1e-12

    def test_the_share_a_layer_of_zeros_cannot_keep_goes_to_the_others(self) -> None:
        half = np.array([[0, 0, 0, 1]], np.float32)
        net = net_of([half, np.ones((2, 4), np.float32)], scan_of([]), 99.0, False, 0)
        assert net.allocate("uniform", 6) == {"l0": 0.75, "l1": 0.375}


class TestErk:
    def test_erks_density_is_in_proportion_to_the_sum_over_the_product(self) -> None:
        shapes = [(64, 32, 3, 3), (128, 256), (200, 100)]
        random = np.random.default_rng(0)
        weights = [random.normal(size=shape).astype(np.float32) for shape in shapes]
        net = net_of(weights, scan_of([]), 99.0, False, 0)
        kept = net.kept(net.allocate("erk", 5_000))
        scales = [n / sum(shape) for n, shape in zip(kept, shapes, strict=True)]
        assert scales == pytest.approx([5_000 / (102 + 384 + 300)] * 3, rel=0.01)

    def test_a_full_layer_gets_no_more_weights(self) -> None:
        weights = [np.ones((2, 3), np.float32), np.ones((40, 50), np.float32)]
        net = net_of(weights, scan_of([]), 99.0, False, 0)
        assert net.kept(net.allocate("erk", 106)) == [6, 100]


class TestMagnitude:
    @given(nets(), UNIT)
    @settings(max_examples=50)
    def test_the_largest_weights_of_all_layers_are_kept(self, net: Net, at: float) -> None:
        weights = round(at * sum(net.caps))
        ranked = [(-m, i) for i, w in enumerate(net.weights) for m in descending(w)]
        chosen = [layer for _, layer in sorted(ranked)[:weights]]
        kept = net.kept(net.allocate("magnitude", net.fixed + weights))
        assert kept == [chosen.count(layer) for layer in range(len(net.weights))]

    @given(weights_of())
    def test_a_cutoff_is_not_rounded_to_the_precision_of_the_weights(self, weight: Floats) -> None:
        layer = Layer("it", weight.shape, weight.size, weight.size)
        ranking = MagnitudeRanking(Profile.of(layer, weight))
        ranked = descending(weight)
        for bar in ranked:
            assert ranking.count(float(bar)) == np.sum(ranked >= bar)
            assert ranking.count(math.nextafter(bar, math.inf)) == np.sum(ranked > bar)
        assert ranking.count(0.0) == ranked.size
        assert ranking.count(1e300) == ranking.count(math.inf) == 0

    def test_magnitude_keeps_what_a_sort_of_all_weights_keeps(self) -> None:
        net = cnn5()
        kept = net.kept(net.allocate("magnitude", 3_800))
        everything = np.concatenate([descending(weight) for weight in net.weights])
        threshold = np.sort(everything)[-(3_800 - net.fixed)]
        assert kept == [int(np.sum(descending(weight) >= threshold)) for weight in net.weights]


class TestLamp:
    def test_lamp_scores_follow_the_formula_of_the_paper(self) -> None:
        weight = np.array([3, -1, 2, 0, -2], np.float32)
        ranking = LampRanking(Profile.of(Layer("it", weight.shape, 5, 5), weight))
        scores = [ranking.score(np.float32(magnitude)) for magnitude in (3, 2, 1)]
        assert scores == [9 / 9, 4 / 17, 1 / 18]
        bars = [0.0, 1 / 18, 0.06, 4 / 17, 0.24, 1.0, 1.1, math.inf]
        assert [ranking.count(bar) for bar in bars] == [4, 4, 3, 3, 1, 1, 0, 0]

    def test_lamp_keeps_what_a_sort_of_all_scores_keeps(self) -> None:
        net = cnn5()
        kept = net.kept(net.allocate("lamp", 3_800))
        scores = [lamp_scores(weight) for weight in net.weights]
        threshold = np.sort(np.concatenate(scores))[-(3_800 - net.fixed)]
        assert kept == [int(np.sum(score >= threshold * (1 - 1e-12))) for score in scores]

    @given(nets(), UNIT)
    @settings(max_examples=20)
    def test_every_layer_keeps_a_weight_if_the_budget_allows(self, net: Net, at: float) -> None:
        """The largest weight of a layer has the score 1, which none exceeds."""
        different = [
            w for w in net.weights if len(set(descending(w)[:2])) == min(2, np.sum(w != 0))
        ]
        net = net_of(different or [np.ones((1, 1), np.float32)], net.scan, 99.0, False, 0)
        least = sum(cap > 0 for cap in net.caps)
        kept = net.kept(net.allocate("lamp", least + round(at * (sum(net.caps) - least))))
        assert all(n > 0 for n, cap in zip(kept, net.caps, strict=True) if cap)


class TestHan:
    @pytest.mark.parametrize("ratio", [2, 12, 60, 300])
    def test_the_thresholds_share_one_quality(self, ratio: float) -> None:
        net = cnn5()
        plan = net.allocate("han", Goal("ratio", ratio).budget(net.parameters))
        lowest, highest = 0.0, math.inf
        for weight, profile in zip(net.weights, net.profiles, strict=True):
            cut, spread = (
                profile.what_if(plan[profile.layer.name]),
                float(weight.std(dtype=np.float64)),
            )
            above = np.abs(weight[np.abs(weight) > np.float32(cut.threshold)])
            lowest = max(lowest, cut.threshold / spread)
            highest = min(highest, float(above.min(initial=np.inf)) / spread)
        assert 0 < lowest < highest

    def test_zeros_do_not_count_in_the_deviation(self) -> None:
        random = np.random.default_rng(0)
        pair = [random.normal(size=(20, 20)).astype(np.float32) for _ in range(2)]
        padded = [pair[0], np.concatenate([pair[1], np.zeros((60, 20), np.float32)])]
        plain, sparse = (net_of(list(two), scan_of([]), 99.0, False, 0) for two in (pair, padded))
        assert sparse.kept(sparse.allocate("han", 90)) == plain.kept(plain.allocate("han", 90))


class TestSensitivity:
    def curve(
        self, *points: tuple[float, float], zeros: int = 0, dense: float = 99.0
    ) -> SensitivityRanking:
        weight = np.arange(1, 101, dtype=np.float32).reshape(10, 10)
        weight.reshape(-1)[:zeros] = 0
        profile = Profile.of(Layer("it", weight.shape, 100, 100), weight)
        measured = [Point(sparsity, round(10 * percent), 1000) for sparsity, percent in points]
        return sensitivity(profile, [*measured, Point(0.99)], dense, level=0.0)

    def test_a_curve_is_linear_between_points_and_ends_at_the_dense_accuracy(self) -> None:
        curve = self.curve((0.5, 99.0), (0.9, 89.0))
        at = [0.0, 0.4, 0.5, 0.7, 0.9, 0.95, 1.0]
        expected = [0, 0, 0, 5, 10, 54.5, 99]
        assert [curve.drop(sparsity) for sparsity in at] == pytest.approx(expected)

    def test_a_drop_never_shrinks_and_a_gain_counts_as_zero(self) -> None:
        curve = self.curve((0.9, 97.0), (0.2, 99.9), (0.5, 95.0))
        assert [curve.drop(s) for s in (0.2, 0.5, 0.9)] == pytest.approx([0, 4, 4])

    def test_a_curve_starts_at_the_sparsity_of_the_weights(self) -> None:
        curve = self.curve((0.3, 90.0), (0.8, 89.0), zeros=60)
        assert [curve.drop(s) for s in (0.3, 0.6, 0.7, 0.8)] == pytest.approx([0, 0, 5, 10])

    def test_a_point_at_sparsity_1_is_the_last(self) -> None:
        assert self.curve((0.5, 98.0), (1.0, 10.0)).drop(1.0) == pytest.approx(89)

    @given(nets(), st.floats(0, 100))
    @settings(max_examples=50)
    def test_each_layer_uses_up_the_tolerance(self, net: Net, tolerance: float) -> None:
        plan = plan_for_tolerance(net.profiles, net.scan, net.dense, tolerance)
        for profile, kept in zip(net.profiles, net.kept(plan), strict=True):
            name, elements = profile.layer.name, profile.layer.elements
            assert profile.floor <= plan[name] <= 1
            curve = sensitivity(profile, net.scan.layers[name], net.dense, level=0.0)
            assert curve.drop(plan[name]) <= tolerance
            if kept:
                assert curve.drop((elements - kept + 1) / elements) > tolerance

    @given(nets(), st.floats(0, 100))
    @settings(max_examples=50)
    def test_the_budget_of_a_tolerance_needs_no_larger_drop(
        self, net: Net, tolerance: float
    ) -> None:
        alone = plan_for_tolerance(net.profiles, net.scan, net.dense, tolerance)
        together = net.allocate("sensitivity", net.fixed + sum(net.kept(alone)))
        for profile in net.profiles:
            name = profile.layer.name
            curve = sensitivity(profile, net.scan.layers[name], net.dense, level=0.0)
            assert curve.drop(together[name]) <= tolerance + LEVEL

    def test_a_tolerance_leaves_locked_layers(self) -> None:
        plan = plan_for_tolerance(cnn5().profiles, cnn5().scan, 100.0, 5.0, {"fc1": 0.123})
        assert plan["fc1"] == 0.123
        assert plan["conv1"] > 0.5

    def test_layers_with_flat_curves_are_pruned_together(self) -> None:
        weights = [
            np.random.default_rng(0).normal(size=(20, n)).astype(np.float32) for n in (5, 50)
        ]
        level = [(0.8, 495, IMAGES), (0.9, 300, IMAGES)]
        net = net_of(weights, scan_of([level, level]), 99.0, False, 0)
        assert net.kept(net.allocate("sensitivity", 660)) == [60, 600]
