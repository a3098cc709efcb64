"""Other ways to prune a layer, on the sums that reconstruction works on.

Each takes and gives what `core.reconstruction.layers.solve` does. SparseGPT and OBC start from the
weights that fit the dense outputs best before anything is pruned; by their papers they would start
from the dense ones, which fit worse once the layers before have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest.mock import patch

import torch
from torch import Tensor

from core.events import Progress, StopFlag, Stream, never
from core.reconstruction.layers import DAMPING, Solution
from core.reconstruction.least_squares import fit
from core.reconstruction.problems import Problem, Sums, factor
from core.reconstruction.support import largest

_COLUMNS = 128
"""Columns of SparseGPT's blocks, as in the paper."""

_ROWS = 8
"""Outputs that OBC prunes at once: 40 MB for 800 inputs."""

Prune = Callable[[Problem, Tensor, Tensor], Tensor]
"""From a damped problem, its best weights and magnitude's support: pruned weights."""


def sparse_gpt(problem: Problem, best: Tensor, by_magnitude: Tensor) -> Tensor:
    """Frantar & Alistarh 2023, "SparseGPT", algorithm 1: one pass over the columns.

    Masks are chosen for 128 columns at a time, as many weights in each as the layer's sparsity asks
    for; what a pruned weight did is made up for by the columns after it.
    """
    weight, inputs = best.clone(), best.shape[2]
    share = float(by_magnitude.double().mean())
    upper = torch.linalg.cholesky(torch.cholesky_inverse(factor(problem.gram)), upper=True)
    diagonal = upper.diagonal(dim1=1, dim2=2)[:, None]
    left = int(by_magnitude.sum())
    for start in range(0, inputs, _COLUMNS):
        columns = slice(start, min(start + _COLUMNS, inputs))
        some = weight[..., columns]
        number = left if columns.stop == inputs else min(left, round(share * some.numel()))
        left -= number
        kept = largest((some / diagonal[..., columns]).square(), number)
        errors = torch.zeros_like(some)
        for place in range(some.shape[2]):
            column = start + place
            missed = torch.where(kept[..., place], 0.0, weight[..., column])
            errors[..., place] = missed / diagonal[..., column]
            update = upper[:, None, column, column : columns.stop]
            weight[..., column : columns.stop] -= errors[..., place, None] * update
        weight[..., columns] *= kept
        weight[..., columns.stop :] -= errors @ upper[:, columns, columns.stop :]
    return weight


def obc(problem: Problem, best: Tensor, by_magnitude: Tensor) -> Tensor:
    """Frantar & Alistarh 2022, "Optimal Brain Compression", algorithms 1 and 2.

    In each row, the weight that costs least goes first, and the others make up for it exactly; the
    costs of all rows then say how many go in each.
    """
    costs, orders = torch.zeros_like(best), torch.zeros(best.shape, dtype=torch.long)
    for block, gram in enumerate(problem.gram):
        inverse = torch.cholesky_inverse(factor(gram))
        for rows in torch.arange(best.shape[1]).split(_ROWS):
            costs[block, rows], orders[block, rows] = _greedy(inverse, best[block, rows])
    # In each row, costs that never fall along its order, so that those gone are its beginning.
    order = costs.cummax(2).values.flatten().argsort(stable=True)
    stays = torch.ones(best.numel(), dtype=torch.bool)
    stays[order[: best.numel() - int(by_magnitude.sum())]] = False
    kept = torch.zeros(best.shape, dtype=torch.bool).scatter_(2, orders, stays.view(best.shape))
    return fit(problem, kept, best)


def _greedy(inverse: Tensor, best: Tensor) -> tuple[Tensor, Tensor]:
    """The cost of each step for some rows [n, m], and the column that goes in it."""
    rows, inputs = best.shape
    every, weight, names = torch.arange(rows), best.clone(), torch.arange(inputs).repeat(rows, 1)
    inverse, alive = inverse.repeat(rows, 1, 1), torch.ones(rows, inputs, dtype=torch.bool)
    costs, orders = torch.zeros_like(best), torch.zeros_like(names)
    for step in range(inputs):
        left = inputs - step
        if left < 0.8 * alive.shape[1]:  # drop the columns that are gone
            live = alive.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :left]
            inverse = inverse[every[:, None, None], live[:, :, None], live[:, None, :]]
            weight, names = weight.gather(1, live), names.gather(1, live)
            alive = torch.ones_like(live, dtype=torch.bool)
        scores = weight.square() / inverse.diagonal(dim1=1, dim2=2)
        place = scores.masked_fill(~alive, torch.inf).argmin(1)
        costs[:, step], orders[:, step] = scores[every, place], names[every, place]
        column = inverse[every, :, place]
        scaled = column / column[every, place][:, None]
        weight -= scaled * weight[every, place][:, None]
        inverse.baddbmm_(scaled[:, :, None], column[:, None, :], alpha=-1)
        alive[every, place] = False
    return costs, orders


def solving_by(prune: Prune) -> AbstractContextManager[object]:
    """A context in which `core.reconstruct` prunes layers in another way."""

    def solve(
        sums: Sums,
        weight: Tensor,
        by_magnitude: Tensor,
        bias: bool,
        step: str = "",
        stop: StopFlag = never,
    ) -> Stream[Solution]:
        plain = sums.problem()
        problem = sums.centered() if bias else plain
        damped = problem.damped(weight, DAMPING)
        best = fit(damped, torch.ones_like(by_magnitude), weight)
        pruned = prune(damped, best, by_magnitude)
        errors = plain.error(weight * by_magnitude), problem.error(pruned)
        change = sums.bias_change(pruned) if bias else None
        yield Progress(step)
        return Solution(pruned, change, *(error / plain.energy for error in errors))

    return patch("core.reconstruction.parts.solve", solve)
