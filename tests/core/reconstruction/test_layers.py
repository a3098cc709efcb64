"""One layer against closed forms, and properties of random ones."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.events import drain
from core.reconstruction import least_squares
from core.reconstruction.layers import Solution, solve
from core.reconstruction.least_squares import fit
from core.reconstruction.problems import Problem, Sums
from core.reconstruction.support import largest, thinned_out

pytestmark = pytest.mark.usefixtures("one_thread")


def sums_of(inputs: Tensor, outputs: Tensor) -> Sums:
    """Of rows [blocks, n, m] and outputs [blocks, n, out]."""
    sums = Sums(len(inputs), outputs.shape[2], inputs.shape[2])
    sums.add(0, inputs, outputs)
    return sums


def solved(inputs: Tensor, weight: Tensor, kept: int, *, bias: bool = False) -> Solution:
    sums = sums_of(inputs, inputs @ weight.mT)
    return drain(solve(sums, weight, largest(weight.abs(), kept), bias))


def drawn(
    blocks: int, rows: int, outputs: int, inputs: int, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Correlated inputs [blocks, rows, m], and weights [blocks, out, m]."""
    generator = torch.Generator().manual_seed(seed)
    mixing, raw, weight = (
        torch.randn(blocks, *size, generator=generator, dtype=torch.float64)
        for size in ((inputs, inputs), (rows, inputs), (outputs, inputs))
    )
    return raw @ mixing + 0.5, weight


@pytest.mark.parametrize("exact", [True, False])
def test_values_on_a_support_are_those_of_lstsq(
    exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exact:
        monkeypatch.setattr(least_squares, "_EXACT", 0)
    inputs, weight = drawn(1, 80, 6, 12)
    outputs = torch.randn(1, 80, 6, dtype=torch.float64)
    kept = torch.rand(weight.shape) < torch.linspace(0, 1, 6)[:, None]
    got = fit(sums_of(inputs, outputs).problem(), kept, weight)
    for row, support in enumerate(kept[0]):
        best = torch.linalg.lstsq(inputs[0][:, support], outputs[0][:, row : row + 1]).solution
        torch.testing.assert_close(got[0, row, support], best[:, 0], rtol=1e-4, atol=1e-4)
        assert not got[0, row, ~support].any()


def test_the_best_bias_is_that_of_a_column_of_ones() -> None:
    inputs, _ = drawn(1, 80, 6, 12)
    outputs = torch.randn(1, 80, 6, dtype=torch.float64) + 3
    sums = sums_of(inputs, outputs)
    problem = sums.centered()
    weight = fit(problem, torch.ones(1, 6, 12, dtype=torch.bool), torch.zeros(1, 6, 12))
    ones = torch.cat([inputs[0], torch.ones(80, 1, dtype=torch.float64)], 1)
    best = torch.linalg.lstsq(ones, outputs[0])
    torch.testing.assert_close(weight[0], best.solution[:-1].T)
    torch.testing.assert_close(sums.bias_change(weight)[0], best.solution[-1])
    error = (ones @ best.solution - outputs[0]).square().sum()
    assert problem.error(weight) == pytest.approx(float(error))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [5, 40])  # fewer rows than inputs leave some weights undetermined
def test_with_nothing_to_prune_the_weights_stay(rows: int, bias: bool) -> None:
    inputs, weight = drawn(2, rows, 3, 8)
    solution = solved(inputs, weight, weight.numel(), bias=bias)
    torch.testing.assert_close(solution.weight, weight, rtol=1e-5, atol=1e-5)
    assert solution.error == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 1000), st.integers(0, 48))
def test_orthonormal_inputs_give_magnitude_pruning(seed: int, kept: int) -> None:
    raw, weight = drawn(1, 20, 6, 8, seed)
    inputs = torch.linalg.qr(raw).Q
    expected = weight * largest(weight.abs(), kept)
    torch.testing.assert_close(solved(inputs, weight, kept).weight, expected)


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(1, 6), st.integers(1, 8)),
    st.floats(0, 1),
    st.booleans(),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_never_worse_than_magnitude_with_as_many_weights(
    sizes: tuple[int, int, int, int], share: float, bias: bool, dead: float, seed: int
) -> None:
    inputs, weight = drawn(*sizes, seed)
    inputs *= torch.rand(inputs.shape[2]) >= dead  # such as the border of images
    weight[torch.rand(weight.shape) < 0.2] = 0  # the floor of every plan
    kept = round(share * int(weight.count_nonzero()))
    solution = solved(inputs, weight, kept, bias=bias)
    assert solution.error <= solution.magnitude
    assert int(solution.weight.count_nonzero()) == kept
    assert not solution.weight[weight == 0].any()
    outputs, change = inputs @ weight.mT, solution.bias_change
    shift = 0 if change is None else change[:, None]
    missed = (inputs @ solution.weight.mT + shift - outputs).square().sum()
    assert solution.error == pytest.approx(
        float(missed / outputs.square().sum().clamp_min(1e-300)), abs=1e-6
    )


@settings(max_examples=20)
@given(st.integers(1, 2), st.integers(2, 8), st.integers(0, 1000))
def test_the_weight_that_goes_is_the_one_whose_loss_costs_least(
    blocks: int, outputs: int, seed: int
) -> None:
    inputs, weight = drawn(blocks, 40, outputs, 8, seed)
    problem = sums_of(inputs, torch.randn(blocks, 40, outputs, dtype=torch.float64)).problem()
    wide = torch.rand(weight.shape) < 0.6
    wide[0, 0, 0] = True
    kept = thinned_out(problem, wide, int(wide.sum()) - 1)
    assert not (kept & ~wide).any()

    def error(without: Tensor) -> float:
        support = wide.clone()
        support[tuple(without)] = False
        return problem.error(fit(problem, support, weight))

    (gone,) = (wide & ~kept).nonzero()
    assert error(gone) == pytest.approx(min(map(error, wide.nonzero())), rel=1e-6)


def test_thinning_out_goes_on_from_what_is_left() -> None:
    """The second of two that are alike cannot go as the first did."""
    inputs, weight = drawn(1, 40, 1, 6)
    inputs[..., 1] = inputs[..., 0] + 1e-3 * torch.randn(1, 40, dtype=torch.float64)
    outputs = inputs[..., :1] + 0.1 * inputs[..., 2:3]
    every = torch.ones(weight.shape, dtype=torch.bool)
    kept = thinned_out(sums_of(inputs, outputs).problem(), every, 2)
    assert kept[0, 0].nonzero()[:, 0].tolist() == [0, 2]


def test_dead_inputs_are_no_obstacle() -> None:
    inputs, weight = drawn(2, 40, 3, 8)
    inputs[0] = 0
    inputs[1, :, :4] = 0
    solution = solved(inputs, weight, 20, bias=True)
    assert int(solution.weight.count_nonzero()) == 20
    assert solution.error <= solution.magnitude


def test_dead_inputs_get_no_weight_while_others_can_use_it() -> None:
    inputs, weight = drawn(1, 40, 3, 8)
    inputs[..., :4] = 0
    weight[..., :4] *= 100
    few, many = solved(inputs, weight, 10), solved(inputs, weight, 20)
    assert not few.weight[..., :4].any()
    assert few.error < few.magnitude
    assert few.magnitude == pytest.approx(1)
    torch.testing.assert_close(many.weight[..., 4:], weight[..., 4:], rtol=1e-4, atol=1e-4)
    expected = weight[..., :4] * largest(weight[..., :4].abs(), 8)
    assert torch.equal(many.weight[..., :4], expected)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_inputs_of_any_size_that_are_constant_but_for_rounding(size: float) -> None:
    inputs, weight = drawn(1, 40, 3, 8)
    inputs[:, :, 2:] = size * 3.3
    inputs = inputs.float()
    sums = sums_of(inputs, inputs @ weight.float().mT)
    solution = drain(solve(sums, weight, largest(weight.abs(), 12), True))
    assert int(solution.weight.count_nonzero()) == 12
    assert solution.error <= solution.magnitude


def test_correlated_inputs_are_used() -> None:
    """Two outputs of one sum: one weight can stand for eight."""
    shared = torch.randn(1, 50, 1, dtype=torch.float64)
    inputs = shared + 0.1 * torch.randn(1, 50, 8, dtype=torch.float64)
    solution = solved(inputs, torch.ones(1, 2, 8, dtype=torch.float64), 2)
    assert solution.error < 0.02 < 0.5 < solution.magnitude


def test_the_error_of_a_problem_is_that_of_its_rows() -> None:
    inputs, weight = drawn(2, 30, 3, 5)
    outputs = torch.randn(2, 30, 3, dtype=torch.float64)
    problem: Problem = sums_of(inputs, outputs).problem()
    missed = float((inputs @ weight.mT - outputs).square().sum())
    assert problem.error(weight) == pytest.approx(missed)
