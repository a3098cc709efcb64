"""The best values on a given support: an independent least-squares problem for each output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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


class Group(NamedTuple):
    """Outputs of a block with supports of about the same size.

    Attributes:
        rows: which [n].
        columns: the support of each [n, most], and other inputs if it is smaller.
        real: booleans of that shape: those of the support.
    """

    rows: Tensor
    columns: Tensor
    real: Tensor

    def equations(self, gram: Tensor, cross: Tensor) -> tuple[Tensor, Tensor]:
        """Matrices [n, most, most] and right sides [n, most]; other inputs have 1 and 0."""
        matrices = gram[self.columns[:, :, None], self.columns[:, None, :]]
        matrices *= self.real[:, :, None] & self.real[:, None, :]
        matrices.diagonal(dim1=1, dim2=2).add_((~self.real).to(gram.dtype))
        return matrices, cross[self.rows].gather(1, self.columns) * self.real


def grouped(kept: Tensor, values: int) -> Iterator[Group]:
    """The outputs of a support [out, m], the largest first; matrices have at most so many values.

    Outputs without any weight are left out.
    """
    sizes = kept.sum(1)
    order = sizes.argsort(stable=True)
    order = order[sizes[order] > 0]
    while len(order):
        most = int(sizes[order[-1]])
        number = max(1, values // most**2)
        rows, order = order[-number:], order[:-number]
        first = kept[rows].to(torch.uint8).argsort(dim=1, descending=True, stable=True)
        columns = first[:, :most]
        yield Group(rows, columns, kept[rows].gather(1, columns))


def _exact(problem: Problem, kept: Tensor) -> Tensor:
    result = torch.zeros_like(problem.cross)
    for block, gram in enumerate(problem.gram):
        for group in grouped(kept[block], _CHUNK):
            matrices, right = group.equations(gram, problem.cross[block])
            solved = torch.cholesky_solve(right[:, :, None], factor(matrices))[:, :, 0]
            none = torch.zeros_like(problem.cross[block, group.rows])
            result[block, group.rows] = none.scatter_(1, group.columns, solved * group.real)
    return result


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
