"""The best values on a given support: an independent least-squares problem for each output."""

from __future__ import annotations

import torch
from torch import Tensor

from core.reconstruction.problems import Problem, factor

_EXACT = 2e11
"""Most multiplications for an exact solution: some ten seconds."""

_CHUNK = 1 << 24
"""Most values of the matrices that are factored at once: 128 MB."""

_STEPS = 200
"""Most steps of conjugate gradients."""

_CLOSE = 1e-5
"""Residual at which they end, relative to the first."""


def fit(problem: Problem, kept: Tensor, start: Tensor) -> Tensor:
    """The weights [blocks, out, m] with the least error that are zero where not `kept`.

    Exact, by Cholesky factors of the Gram matrix's rows and columns of each support; where that
    would take long, by conjugate gradients from `start`. The Gram matrix is positive definite.
    """
    sizes = kept.sum(2).double()
    if float((sizes**3).sum()) / 3 <= _EXACT:
        return _exact(problem, kept)
    return _conjugate_gradients(problem, kept, start * kept)


def _exact(problem: Problem, kept: Tensor) -> Tensor:
    result = torch.zeros_like(problem.cross)
    for block, gram in enumerate(problem.gram):
        sizes = kept[block].sum(1)
        order = sizes.argsort(stable=True)
        order = order[sizes[order] > 0]
        while len(order):
            # Outputs with supports of about the same size, the largest first.
            most = int(sizes[order[-1]])
            number = max(1, _CHUNK // most**2)
            rows, order = order[-number:], order[:-number]
            values = _solve(gram, problem.cross[block, rows], kept[block, rows], most)
            result[block, rows] = values
    return result


def _solve(gram: Tensor, cross: Tensor, kept: Tensor, most: int) -> Tensor:
    """Outputs [n, m] whose supports have at most `most` inputs; the rest of a matrix is 1."""
    columns = kept.to(torch.uint8).argsort(dim=1, descending=True, stable=True)[:, :most]
    real = kept.gather(1, columns)
    matrices = gram[columns[:, :, None], columns[:, None, :]]
    matrices *= real[:, :, None] & real[:, None, :]
    matrices.diagonal(dim1=1, dim2=2).add_((~real).to(gram.dtype))
    right = (cross.gather(1, columns) * real)[:, :, None]
    solved = torch.cholesky_solve(right, factor(matrices))[:, :, 0]
    return torch.zeros_like(cross).scatter_(1, columns, solved * real)


def _conjugate_gradients(problem: Problem, kept: Tensor, weight: Tensor) -> Tensor:
    """All outputs at once, with the diagonal as preconditioner."""
    inverse = kept / problem.gram.diagonal(dim1=1, dim2=2)[:, None]
    residual = (problem.cross - weight @ problem.gram) * kept
    scaled = residual * inverse
    direction, size = scaled, (residual * scaled).sum(2, keepdim=True)
    goal = _CLOSE**2 * float(size.sum())
    for _ in range(_STEPS):
        if float(size.sum()) <= goal:
            break
        change = (direction @ problem.gram) * kept
        step = size / _positive((direction * change).sum(2, keepdim=True))
        weight = weight + step * direction
        residual = residual - step * change
        scaled = residual * inverse
        before, size = size, (residual * scaled).sum(2, keepdim=True)
        direction = scaled + size / _positive(before) * direction
    return weight


def _positive(values: Tensor) -> Tensor:
    return values.clamp_min(torch.finfo(values.dtype).tiny)
