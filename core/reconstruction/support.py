"""Which weights of a layer to keep: ADMM with a projection on the k largest.

The method is that of ALPS (Meng et al. 2024, "ALPS: Improved Optimization for Highly Sparse
One-Shot Pruning for Large Language Models"): weights that fit the outputs, and sparse ones, are
pulled together ever more strongly until the support no longer changes. Inputs are scaled to the
same size first, so a weight's magnitude is what it does to the output; and then float32 is enough,
since the pull keeps the matrices well away from singular ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream
from core.reconstruction.problems import Problem, factor

_START = 0.01
"""The first pull, relative to the mean square of a scaled input."""

_EVERY = 3
"""Steps between two changes of the pull."""

_PACE = ((0.1, 1.3), (0.005, 1.2), (0.0, 1.1))
"""How much stronger the pull gets if more than this fraction of the support has changed."""

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
    """The support, exactly `kept` weights of those `allowed`, for a small output error.

    Raises StoppedError if `stop` is raised, which is checked at every step.

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
    support = before = largest(_scores(sparse, allowed), kept)
    for number in range(1, _STEPS + 1):
        if stop():
            raise StoppedError("stopped before the support was chosen")
        right = cross - dual + pull * sparse
        fitted = torch.cholesky_solve(right.mT, factors).mT
        moved = fitted + dual / pull
        support = largest(_scores(moved, allowed), kept)
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
    return support


def _scores(weight: Tensor, allowed: Tensor) -> Tensor:
    return weight.abs().masked_fill(~allowed, -1.0)
