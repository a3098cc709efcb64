"""Goals, and the sparsities that meet them to the last weight."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import tracemalloc
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from core.allocation import allocate, by_tolerance
from core.curves import SPARSITIES, Point, Scan
from core.errors import InputError
from core.footprint import Footprint, total
from core.goals import METHODS, Goal, parse_goal
from core.layers import Layer
from core.plans import Plan, drop_count
from core.rankings import LEVEL, Curve, lamp, magnitude, sensitivity
from core.whatif import Profile
from core.zoo import model_spec

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

IMAGES = 500
WITHOUT_SCAN = [name for name in METHODS if name != "sensitivity"]
every_method = pytest.mark.parametrize("method", METHODS)


@dataclass(frozen=True)
class Net:
    """Layers to allocate to, and the curves of a scan of them."""

    weights: tuple[Floats, ...]
    profiles: tuple[Profile, ...]
    other: int
    scan: Scan
    dense: float

    @property
    def parameters(self) -> int:
        return sum(p.layer.parameters for p in self.profiles) + self.other

    @property
    def caps(self) -> list[int]:
        return [int(np.count_nonzero(weight)) for weight in self.weights]

    @property
    def fixed(self) -> int:
        return self.parameters - sum(weight.size for weight in self.weights)

    def allocate(self, method: str, budget: int, locked: Plan | None = None) -> Plan:
        return allocate(
            method,
            self.profiles,
            budget,
            other_parameters=self.other,
            locked=locked or {},
            scan=self.scan if method == "sensitivity" else None,
            dense=self.dense if method == "sensitivity" else None,
        )

    def kept(self, plan: Plan) -> list[int]:
        """The weights that a plan asks each layer to keep."""
        return [
            weight.size - drop_count(plan[p.layer.name], weight.size)
            for weight, p in zip(self.weights, self.profiles, strict=True)
        ]


def net_of(weights: list[Floats], scan: Scan, dense: float, biased: bool, other: int) -> Net:
    layers = [
        Layer(f"l{i}", w.shape, w.size, w.size + biased * w.shape[0]) for i, w in enumerate(weights)
    ]
    profiles = tuple(Profile.of(la, w) for la, w in zip(layers, weights, strict=True))
    return Net(tuple(weights), profiles, other, scan, dense)


def scan_of(curves: list[list[tuple[float, int, int]]]) -> Scan:
    layers = {
        f"l{i}": tuple(Point(sparsity, correct, images) for sparsity, correct, images in curve)
        for i, curve in enumerate(curves)
    }
    return Scan("validation", IMAGES, layers, (), "fp32", traced=True, stopped=False)


UNIT = st.floats(0, 1)
COUNTS = st.integers(0, 20)
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.sampled_from(
    [(4, 1, 3, 3), (5, 4, 2, 2), (3, 2, 5), (1, 1), (40, 2), (2, 3, 1, 1, 2)]
)


@st.composite
def weights_of(draw: st.DrawFn) -> Floats:
    random, shape = np.random.default_rng(draw(SEEDS)), draw(SHAPES)
    weight = random.normal(0.1, 10.0 ** draw(st.integers(-9, 9)), shape)
    match draw(st.sampled_from(["any", "any", "ties", "sparse", "equal", "zero"])):
        case "ties":
            weight = random.choice([-1, -0.5, 0, 0.25, 0.5, 1], shape)
        case "sparse":
            weight *= random.random(shape) < 0.3
        case "equal":
            weight = np.full(shape, 0.3)
        case "zero":
            weight = np.zeros(shape)
    return weight.astype(np.float32)


def curve_of(random: np.random.Generator) -> list[tuple[float, int, int]]:
    """In no order, with points that were not measured, but one that was."""
    sparsities = random.permutation(21)[: random.integers(1, 8)] / 20
    images = random.choice([0, 100, IMAGES], sparsities.size)
    images[0] = IMAGES
    return [
        (float(s), int(random.integers(n + 1)), int(n))
        for s, n in zip(sparsities, images, strict=True)
    ]


@st.composite
def nets(draw: st.DrawFn) -> Net:
    weights = draw(st.lists(weights_of(), min_size=1, max_size=6))
    random = np.random.default_rng(draw(SEEDS))
    scan = scan_of([curve_of(random) for _ in weights])
    return net_of(weights, scan, draw(st.floats(50, 100)), draw(st.booleans()), draw(COUNTS))


@cache
def cnn5() -> Net:
    """The shipped net."""
    stored = load_file(model_spec("cnn5").shipped_weights)
    names = ["conv1", "conv2", "conv3", "fc1", "fc2"]
    weights = tuple(stored[f"{name}.weight"] for name in names)
    layers = [
        Layer(name, w.shape, w.size, w.size + stored[f"{name}.bias"].size)
        for name, w in zip(names, weights, strict=True)
    ]
    profiles = tuple(Profile.of(la, w) for la, w in zip(layers, weights, strict=True))
    curve = tuple(Point(s, round(IMAGES * (1 - s**9)), IMAGES) for s in SPARSITIES)
    points = dict.fromkeys(names, curve)
    return Net(weights, profiles, 0, replace(scan_of([]), layers=points), 100.0)


def descending(weight: Floats) -> Doubles:
    magnitudes = np.abs(weight[weight != 0]).astype(np.float64)
    return np.sort(magnitudes)[::-1]


def lamp_scores(weight: Floats) -> Doubles:
    """The paper's formula, from the largest down; those of one magnitude count one another."""
    squares = descending(weight) ** 2
    tied = np.searchsorted(-squares, -squares, side="right") - 1
    scores: Doubles = squares / np.cumsum(squares)[tied]
    return scores


def priorities(method: str, net: Net, layer: int) -> Doubles:
    """The priorities of the weights that a layer can keep, the highest first, by definition."""
    weight, ranks = net.weights[layer], np.arange(1, net.caps[layer] + 1)
    match method:
        case "uniform":
            return weight.size / (ranks - 0.5)
        case "erk":
            density = sum(weight.shape) / math.prod(weight.shape)
            return density * weight.size / (ranks - 0.5)
        case "magnitude":
            return descending(weight)
        case "han":
            spread = weight[weight != 0].std(dtype=np.float64) if weight.any() else 1.0
            equal = spread < 1e-9 * np.abs(weight).max()
            return descending(weight) / (1.0 if equal else spread) + (math.inf if equal else 0.0)
        case "lamp":
            return lamp_scores(weight)
        case _:
            profile = net.profiles[layer]
            curve = sensitivity(profile, net.scan.layers[profile.layer.name], net.dense)
            return np.array([curve.drop(1 - (rank - 1) / weight.size) for rank in ranks])


def largest_left(method: str, net: Net, kept: list[int]) -> tuple[float, float]:
    """The lowest priority that is kept, and the highest that is not."""
    ranked = [priorities(method, net, layer) for layer in range(len(kept))]
    low = min((r[n - 1] for r, n in zip(ranked, kept, strict=True) if n), default=math.inf)
    high = max((r[n] for r, n in zip(ranked, kept, strict=True) if n < r.size), default=0.0)
    return float(low), float(high)


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
    def test_pruning_keeps_as_many_but_for_ties(self, method: str, net: Net, at: float) -> None:
        budget = net.fixed + round(at * sum(net.caps))
        plan = net.allocate(method, budget)
        cuts = [profile.cut(plan[profile.layer.name]) for profile in net.profiles]
        asked = net.kept(plan)
        for weight, cut, wanted in zip(net.weights, cuts, asked, strict=True):
            tied = int(np.count_nonzero(np.abs(weight) == np.float32(cut.threshold)))
            assert wanted - max(0, tied - 1) <= cut.kept <= wanted
        parts = [p.footprint(cut) for p, cut in zip(net.profiles, cuts, strict=True)]
        assert total(parts, net.other).nonzero <= budget

    @every_method
    @given(nets(), UNIT, UNIT)
    @settings(max_examples=30)
    def test_lighter_keeps_no_more_of_any_layer(
        self, method: str, net: Net, one: float, two: float
    ) -> None:
        light, heavy = (round(at * sum(net.caps)) for at in sorted((one, two)))
        fewer = net.kept(net.allocate(method, net.fixed + light))
        more = net.kept(net.allocate(method, net.fixed + heavy))
        assert all(a <= b for a, b in zip(fewer, more, strict=True))

    @every_method
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
            min(p.cut(locked[p.layer.name]).kept, cap)
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

    @every_method
    def test_every_budget_of_a_small_net(self, method: str) -> None:
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
    def test_the_shipped_net_at_60x(self, method: str) -> None:
        net = cnn5()
        budget = parse_goal("60x").budget(net.parameters)
        plan = net.allocate(method, budget)
        parts = [p.footprint(p.cut(plan[p.layer.name])) for p in net.profiles]
        assert (net.parameters, budget) == (228_010, 3_800)
        assert total(parts).nonzero == budget
        assert total(parts).ratio >= 60

    @every_method
    def test_nothing_at_all_may_stay(self, method: str) -> None:
        weights = [np.full((2, 2), 0.5, np.float32), np.zeros((3, 1), np.float32)]
        net = net_of(weights, scan_of([[(0.5, 1, 2)], [(0.5, 1, 2)]]), 90.0, False, 0)
        plan = net.allocate(method, 0)
        assert plan == {"l0": 1.0, "l1": 1.0}
        assert [p.cut(1.0).kept for p in net.profiles] == [0, 0]
        assert net.allocate(method, 4) == {"l0": 0.0, "l1": 1.0}

    @given(st.integers(1, 10**8).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
    def test_the_sparsity_of_a_count_gives_the_count_back(self, counts: tuple[int, int]) -> None:
        kept, elements = counts
        assert drop_count((elements - kept) / elements, elements) == elements - kept

    def test_no_weights_are_copied(self) -> None:
        weight = np.random.default_rng(0).normal(size=(1000, 1000)).astype(np.float32)
        profile = Profile.of(Layer("it", weight.shape, weight.size, weight.size), weight)
        scan = replace(scan_of([]), layers={"it": (Point(0.5, 1, 2),)})
        for method in METHODS:
            tracemalloc.start()
            try:
                allocate(method, [profile], 20_000, scan=scan, dense=99.0)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert peak < 0.1 * weight.nbytes


class TestUniform:
    @given(nets(), UNIT)
    @settings(max_examples=50)
    def test_sparsities_are_equal_within_one_weight(self, net: Net, at: float) -> None:
        kept = net.kept(net.allocate("uniform", net.fixed + round(at * sum(net.caps))))
        free = [(n, w.size) for n, w, c in zip(kept, net.weights, net.caps, strict=True) if n < c]
        highest = max(((n - 0.5) / size for n, size in free if n), default=0.0)
        lowest = min(((n + 0.5) / size for n, size in free), default=1.0)
        assert highest <= lowest + 1e-12

    def test_what_a_layer_of_zeros_cannot_keep_goes_to_the_others(self) -> None:
        half = np.array([[0, 0, 0, 1]], np.float32)
        net = net_of([half, np.ones((2, 4), np.float32)], scan_of([]), 99.0, False, 0)
        assert net.allocate("uniform", 6) == {"l0": 0.75, "l1": 0.375}


class TestErk:
    def test_density_is_in_proportion_to_the_sum_over_the_product(self) -> None:
        shapes = [(64, 32, 3, 3), (128, 256), (200, 100)]
        random = np.random.default_rng(0)
        weights = [random.normal(size=shape).astype(np.float32) for shape in shapes]
        net = net_of(weights, scan_of([]), 99.0, False, 0)
        kept = net.kept(net.allocate("erk", 5_000))
        scales = [n / sum(shape) for n, shape in zip(kept, shapes, strict=True)]
        assert scales == pytest.approx([5_000 / (102 + 384 + 300)] * 3, rel=0.01)

    def test_a_full_layer_takes_no_more(self) -> None:
        weights = [np.ones((2, 3), np.float32), np.ones((40, 50), np.float32)]
        net = net_of(weights, scan_of([]), 99.0, False, 0)
        assert net.kept(net.allocate("erk", 106)) == [6, 100]


class TestMagnitude:
    @given(nets(), UNIT)
    @settings(max_examples=50)
    def test_the_largest_weights_of_all_layers_stay(self, net: Net, at: float) -> None:
        weights = round(at * sum(net.caps))
        ranked = [(-m, i) for i, w in enumerate(net.weights) for m in descending(w)]
        chosen = [layer for _, layer in sorted(ranked)[:weights]]
        kept = net.kept(net.allocate("magnitude", net.fixed + weights))
        assert kept == [chosen.count(layer) for layer in range(len(net.weights))]

    @given(weights_of())
    def test_a_bar_is_not_rounded_to_the_precision_of_the_weights(self, weight: Floats) -> None:
        ranking = magnitude(Profile.of(Layer("it", weight.shape, weight.size, weight.size), weight))
        ranked = descending(weight)
        for bar in ranked:
            assert ranking.count(float(bar)) == np.sum(ranked >= bar)
            assert ranking.count(math.nextafter(bar, math.inf)) == np.sum(ranked > bar)
        assert ranking.count(0.0) == ranked.size
        assert ranking.count(1e300) == ranking.count(math.inf) == 0

    def test_it_is_exact_for_the_shipped_net(self) -> None:
        net = cnn5()
        kept = net.kept(net.allocate("magnitude", 3_800))
        everything = np.concatenate([descending(weight) for weight in net.weights])
        threshold = np.sort(everything)[-(3_800 - net.fixed)]
        assert kept == [int(np.sum(descending(weight) >= threshold)) for weight in net.weights]


class TestLamp:
    def test_the_papers_formula(self) -> None:
        weight = np.array([3, -1, 2, 0, -2], np.float32)
        ranking = lamp(Profile.of(Layer("it", weight.shape, 5, 5), weight))
        scores = [ranking.score(np.float32(magnitude)) for magnitude in (3, 2, 1)]
        assert scores == [9 / 9, 4 / 17, 1 / 18]
        bars = [0.0, 1 / 18, 0.06, 4 / 17, 0.24, 1.0, 1.1, math.inf]
        assert [ranking.count(bar) for bar in bars] == [4, 4, 3, 3, 1, 1, 0, 0]

    def test_it_is_exact_for_the_shipped_net(self) -> None:
        net = cnn5()
        kept = net.kept(net.allocate("lamp", 3_800))
        scores = [lamp_scores(weight) for weight in net.weights]
        threshold = np.sort(np.concatenate(scores))[-(3_800 - net.fixed)]
        assert kept == [int(np.sum(score >= threshold * (1 - 1e-12))) for score in scores]

    @given(nets(), UNIT)
    @settings(max_examples=20)
    def test_every_layer_keeps_a_weight_where_there_are_enough(self, net: Net, at: float) -> None:
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
            cut, spread = profile.cut(plan[profile.layer.name]), float(weight.std(dtype=np.float64))
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
    def curve(self, *points: tuple[float, float], zeros: int = 0, dense: float = 99.0) -> Curve:
        weight = np.arange(1, 101, dtype=np.float32).reshape(10, 10)
        weight.reshape(-1)[:zeros] = 0
        profile = Profile.of(Layer("it", weight.shape, 100, 100), weight)
        measured = [Point(sparsity, round(10 * percent), 1000) for sparsity, percent in points]
        return sensitivity(profile, [*measured, Point(0.99)], dense, level=0.0)

    def test_it_is_linear_between_points_and_up_to_the_whole_accuracy(self) -> None:
        curve = self.curve((0.5, 99.0), (0.9, 89.0))
        at = [0.0, 0.4, 0.5, 0.7, 0.9, 0.95, 1.0]
        expected = [0, 0, 0, 5, 10, 54.5, 99]
        assert [curve.drop(sparsity) for sparsity in at] == pytest.approx(expected)

    def test_a_drop_never_shrinks_and_a_gain_is_none(self) -> None:
        curve = self.curve((0.9, 97.0), (0.2, 99.9), (0.5, 95.0))
        assert [curve.drop(s) for s in (0.2, 0.5, 0.9)] == pytest.approx([0, 4, 4])

    def test_it_starts_where_the_weights_are(self) -> None:
        curve = self.curve((0.3, 90.0), (0.8, 89.0), zeros=60)
        assert [curve.drop(s) for s in (0.3, 0.6, 0.7, 0.8)] == pytest.approx([0, 0, 5, 10])

    def test_a_point_without_weights_is_the_last(self) -> None:
        assert self.curve((0.5, 98.0), (1.0, 10.0)).drop(1.0) == pytest.approx(89)

    @given(nets(), st.floats(0, 100))
    @settings(max_examples=50)
    def test_a_tolerance_is_used_up_by_each_layer(self, net: Net, tolerance: float) -> None:
        plan = by_tolerance(net.profiles, net.scan, net.dense, tolerance)
        for profile, kept in zip(net.profiles, net.kept(plan), strict=True):
            name, elements = profile.layer.name, profile.layer.elements
            assert profile.floor <= plan[name] <= 1
            curve = sensitivity(profile, net.scan.layers[name], net.dense, level=0.0)
            assert curve.drop(plan[name]) <= tolerance
            if kept:
                assert curve.drop((elements - kept + 1) / elements) > tolerance

    @given(nets(), st.floats(0, 100))
    @settings(max_examples=50)
    def test_its_budget_asks_for_no_larger_drop(self, net: Net, tolerance: float) -> None:
        alone = by_tolerance(net.profiles, net.scan, net.dense, tolerance)
        together = net.allocate("sensitivity", net.fixed + sum(net.kept(alone)))
        for profile in net.profiles:
            name = profile.layer.name
            curve = sensitivity(profile, net.scan.layers[name], net.dense, level=0.0)
            assert curve.drop(together[name]) <= tolerance + LEVEL

    def test_a_tolerance_leaves_locked_layers(self) -> None:
        plan = by_tolerance(cnn5().profiles, cnn5().scan, 100.0, 5.0, {"fc1": 0.123})
        assert plan["fc1"] == 0.123
        assert plan["conv1"] > 0.5

    def test_layers_whose_curves_are_level_go_down_together(self) -> None:
        weights = [
            np.random.default_rng(0).normal(size=(20, n)).astype(np.float32) for n in (5, 50)
        ]
        level = [(0.8, 495, IMAGES), (0.9, 300, IMAGES)]
        net = net_of(weights, scan_of([level, level]), 99.0, False, 0)
        assert net.kept(net.allocate("sensitivity", 660)) == [60, 600]


class TestOutOfReach:
    def net(self) -> Net:
        weights = [np.ones((10, 20), np.float32), np.ones((30, 10), np.float32)]
        return net_of(weights, scan_of([[(0.5, 1, 2)], [(0.5, 0, 0)]]), 99.0, True, 7)

    @pytest.mark.parametrize(
        ("budget", "locked", "said"),
        [
            (
                46,
                {},
                "a goal of 46 nonzero parameters: 47 are never pruned; "
                "expected 47 or more, which is 11.63x at most",
            ),
            (
                100,
                {"l0": 0.0},
                "a goal of 100 nonzero parameters: 47 are never pruned and 200 are in locked "
                "layers; expected 247 or more, which is 2.21x at most",
            ),
            (
                1_548,
                {},
                "a goal of 1,548 nonzero parameters: the base has only 547 left to keep; "
                "expected no more, which is 1.0x at least",
            ),
            (
                400,
                {"l0": 1.0},
                "a goal of 400 nonzero parameters: the base has only 347 left to keep, as the "
                "locked layers are; expected no more, which is 1.58x at least",
            ),
        ],
    )
    def test_a_budget_is_refused(self, budget: int, locked: Plan, said: str) -> None:
        with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
            self.net().allocate("magnitude", budget, locked)

    @given(nets(), st.booleans())
    @settings(max_examples=50)
    def test_the_ratio_that_is_named_is_in_reach(self, net: Net, heavy: bool) -> None:
        least, most = net.fixed, net.fixed + sum(net.caps)
        with pytest.raises(InputError) as caught:
            net.allocate("uniform", most + 1 if heavy else least - 1)
        named = re.search(r"which is ([\d.,]+x|infx) at", str(caught.value))
        assert named is not None
        if named[1] != "infx":
            budget = parse_goal(named[1].replace(",", "")).budget(net.parameters)
            assert budget <= most if heavy else budget >= least

    @pytest.mark.parametrize(
        ("method", "locked", "said"),
        [
            (
                "random",
                {},
                "unknown method 'random': expected one of uniform, erk, magnitude, lamp, "
                "sensitivity, han",
            ),
            ("lamp", {"fc9": 0.5}, "unknown layer 'fc9': expected one of l0, l1"),
            ("lamp", {"l0": 1.5}, "sparsity 1.5 of l0: expected a fraction from 0 to 1"),
            (
                "lamp",
                {"l0": 0.5, "l1": 0.5},
                "every layer is locked: unlock one for the goal to act on",
            ),
            (
                "sensitivity",
                {},
                "the scan has measured nothing of layer 'l1': let it run on",
            ),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, method: str, locked: Plan, said: str) -> None:
        with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
            self.net().allocate(method, 300, locked)

    def test_sensitivity_needs_a_scan_of_the_net(self) -> None:
        net = self.net()
        needs = "'sensitivity' needs a scan: press s first, or run featherweight scan"
        with pytest.raises(InputError, match=f"^{needs}$"):
            allocate("sensitivity", net.profiles, 300)
        with pytest.raises(InputError, match=r"^the scan has no layer 'l0': scan this net$"):
            allocate("sensitivity", net.profiles, 300, scan=cnn5().scan, dense=99.0)

    @pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf])
    def test_a_tolerance_is_a_number_of_points(self, tolerance: float) -> None:
        said = f"^tolerance {tolerance}: expected points of accuracy, 0 or more$"
        with pytest.raises(InputError, match=said):
            by_tolerance(cnn5().profiles, cnn5().scan, 99.0, tolerance)


class TestGoals:
    @pytest.mark.parametrize(
        ("text", "goal"),
        [
            ("60x", Goal("ratio", 60)),
            ("60", Goal("ratio", 60)),
            (" 36.88 X ", Goal("ratio", 36.88)),
            ("6000 kept", Goal("kept", 6000)),
            ("6000kept", Goal("kept", 6000)),
            ("0.5 MiB", Goal("mib", 0.5)),
            ("28kib", Goal("mib", 28 / 1024)),
            ("1e3x", Goal("ratio", 1000)),
        ],
    )
    def test_they_are_read(self, text: str, goal: Goal) -> None:
        assert parse_goal(text) == goal

    @pytest.mark.parametrize(
        "text", ["", "x", "light", "95%", "60 fold", "6,000 kept", "MiB", "5 MB", "x60", "6 0x"]
    )
    def test_what_is_none_is_refused(self, text: str) -> None:
        said = f"goal '{text}': expected 60x, 6000 kept, 28 KiB or 0.5 MiB"
        with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
            parse_goal(text)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("0.5x", "goal '0.5x': expected a number, 1 or more"),
            ("1e999x", "goal 'infx': expected a number, 1 or more"),
            ("-1 kept", "goal '-1 kept': expected a number, 0 or more"),
            ("-1 KiB", "goal '-0.0009765625 MiB': expected a number, 0 or more"),
            ("0.5 kept", "goal '0.5 kept': expected a whole number of parameters"),
        ],
    )
    def test_what_is_out_of_range_is_refused(self, text: str, said: str) -> None:
        with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
            parse_goal(text)

    def test_a_size_beyond_all_nets_is_a_budget_all_the_same(self) -> None:
        assert parse_goal("1e308 MiB").budget(100) > 10**15

    @given(
        st.builds(Goal, st.just("ratio"), st.floats(1, 1e300))
        | st.builds(Goal, st.just("kept"), st.integers(0, 10**9))
        | st.builds(Goal, st.just("mib"), st.floats(0, 1e300))
    )
    def test_what_is_shown_is_read_back(self, goal: Goal) -> None:
        assert parse_goal(str(goal)) == goal

    @given(st.floats(1, 1e6), st.integers(1, 10**9))
    def test_a_ratio_is_met_by_the_most_parameters(self, ratio: float, parameters: int) -> None:
        budget = Goal("ratio", ratio).budget(parameters)
        assert Footprint(parameters, budget).ratio >= ratio
        assert budget == parameters or Footprint(parameters, budget + 1).ratio < ratio

    @given(st.floats(0, 1e4))
    def test_a_size_is_met_by_the_most_parameters(self, mib: float) -> None:
        budget = Goal("mib", mib).budget(10**9)
        assert Footprint(10**9, budget).pruned_bytes <= mib * 2**20
        assert Footprint(10**9, budget + 1).pruned_bytes > mib * 2**20

    def test_a_count_is_itself(self) -> None:
        assert Goal("kept", 6000).budget(228_010) == 6000


def test_none_of_it_needs_torch() -> None:
    code = "import sys, core.allocation; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    light = "import sys, core.goals; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", light], check=True)
