"""Which weights of a layer to keep: ADMM with a projection on the k largest, then one at a time.

The method is that of ALPS (Meng et al. 2024, "ALPS: Improved Optimization for Highly Sparse
One-Shot Pruning for Large Language Models"): weights that fit the outputs, and sparse ones, are
pulled together ever more strongly until the support no longer changes. Inputs are scaled to the
same size first, so a weight's magnitude is what it does to the output; and then float32 is enough,
since the pull keeps the matrices well away from singular ones.

Where few weights are left, a wider support than that of ADMM, thinned out by optimal brain surgery,
is better: the output errors of cnn5's layers under the aggressive preset are 2 to 7 % lower.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.reconstruction.least_squares import grouped
from core.reconstruction.problems import Problem, factor

_START = 0.01
"""The first pull, relative to the mean square of a scaled input.

0.003 takes longer and 0.1 less, for the same accuracy (tests/benchmarks/README.md).
"""

_EVERY = 3
"""Steps between two changes of the pull."""

_PACE = ((0.1, 1.3), (0.005, 1.2), (0.0, 1.1))
"""How much stronger the pull gets if more than this fraction of the support has changed."""

_TOGETHER = 1 << 22
"""Most values of the matrices that are thinned out at once: 32 MB."""

_STEPS = 300
"""Most steps; the support settles after some hundred."""


def largest(scores: Tensor, number: int) -> Tensor:
    """Booleans that are true for the largest scores; exactly `number` of them."""
    kept = torch.zeros(scores.numel(), dtype=torch.bool)
    kept[scores.flatten().topk(number).indices] = True
    return kept.view(scores.shape)


def admm(
    problem: Problem, weight: Tensor, kept: int, allowed: Tensor, step: str, stop: StopFlag
) -> Stream[Tensor]:
    """Scores of the weights: keeping the `kept` largest gives a small output error.

    Those not `allowed` have -1. Raises StoppedError if `stop` is raised; it is checked at every
    step.

    Args:
        problem: damped, so that the Gram matrix is positive definite.
        weight: the dense weights, [blocks, out, m].
        kept: how many to keep in all blocks together; at most those allowed.
        allowed: booleans of the weight's shape.
        step: what the progress is of.
        stop: the stop flag.
    """
    scale = problem.gram.diagonal(dim1=1, dim2=2).sqrt()
    gram = (problem.gram / scale[:, :, None]).div_(scale[:, None, :]).float()
    cross = (problem.cross / scale[:, None]).float()
    eye = torch.eye(gram.shape[1], dtype=gram.dtype)
    sparse, dual = (weight * scale[:, None]).float(), torch.zeros_like(cross)
    pull, factors = _START, factor(gram + _START * eye)
    scores = _scores(sparse, allowed)
    before = largest(scores, kept)
    for number in range(1, _STEPS + 1):
        if stop():
            raise StoppedError("stopped before the support was chosen")
        right = cross - dual + pull * sparse
        fitted = torch.cholesky_solve(right.mT, factors).mT
        moved = fitted + dual / pull
        scores = _scores(moved, allowed)
        support = largest(scores, kept)
        sparse = moved * support
        dual = dual + pull * (fitted - sparse)
        if number % _EVERY:
            continue
        yield Progress(step, number, _STEPS, "steps")
        changed = int((support ^ before).sum()) / 2 / max(1, kept)
        if not changed:
            break
        before = support
        pull *= next(pace for least, pace in _PACE if changed > least)
        factors = factor(gram + pull * eye)
    return scores


def thinned_out(problem: Problem, wide: Tensor, number: int) -> Tensor:
    """A support with the `number` weights that are left of a `wide` one, booleans of its shape.

    In each output the weight goes first whose loss costs least once the others have made up for
    it, w^2 / [H^-1]ii, and of all outputs the costliest stay (Hassibi & Stork 1993; Frantar &
    Alistarh 2022, "Optimal Brain Compression", algorithms 1 and 2).
    """
    costs = torch.full(wide.shape, -1.0, dtype=torch.float64)
    for block, gram in enumerate(problem.gram):
        for group in grouped(wide[block], _TOGETHER):
            found = _costs(*group.equations(gram, problem.cross[block]), group.real)
            before = costs[block, group.rows]
            costs[block, group.rows] = before.scatter(
                1, group.columns, torch.where(group.real, found, -1.0)
            )
    return largest(costs, number)


def thinning_cost(wide: Tensor) -> float:
    """About how many multiplications `thinned_out` takes."""
    return float((wide.sum(2).double() ** 3).sum())


def _costs(matrices: Tensor, right: Tensor, alive: Tensor) -> Tensor:
    """What each weight of some outputs [n, m] costs when it goes, and more than what went before.

    `alive` says which columns are weights; they go until none is left.
    """
    inverse = torch.cholesky_inverse(factor(matrices))
    weight = (inverse @ right[:, :, None])[:, :, 0]
    every, alive, costs = torch.arange(len(weight)), alive.clone(), torch.zeros_like(weight)
    most, infinite = torch.zeros_like(weight[:, 0]), torch.full_like(weight[:, 0], torch.inf)
    for _ in range(int(alive.sum(1).max())):
        scores = weight.square() / inverse.diagonal(dim1=1, dim2=2)
        scores.masked_fill_(~alive, torch.inf)
        place = scores.argmin(1)
        left = alive[every, place]
        more = torch.nextafter(most, infinite).maximum(scores[every, place])
        most = torch.where(left, more, most)
        costs[every[left], place[left]] = most[left]
        column = inverse[every, :, place] * left[:, None]
        scaled = column / inverse[every, place, place][:, None]
        weight -= scaled * weight[every, place][:, None]
        inverse.baddbmm_(scaled[:, :, None], column[:, None, :], alpha=-1)
        inverse[every, place, place] = 1.0
        alive[every, place] = False
    return costs


def _scores(weight: Tensor, allowed: Tensor) -> Tensor:
    return weight.abs().masked_fill(~allowed, -1.0)
