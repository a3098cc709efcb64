"""What a layer's weights have to fit: the Gram matrices of its inputs, and its dense outputs.

A layer's weight [out, ...] is a stack of blocks [out of the block, inputs], each with inputs of its
own: the groups of a convolution, or the parts of attention's packed projection. Sums are kept in
float64; the products of a batch are those of float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_ROUNDING = 1e-5
"""What may be rounding in a sum of squares, whose parts are computed in float32."""

_LEAST = 1e-20
"""Least penalty: the weights of dead inputs must remain definite."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimize the sum of |X w - y|^2 over all outputs, in normal form.

    Attributes:
        gram: X^T X, [blocks, m, m].
        cross: y^T X, [blocks, out, m].
        energy: the sum of y^2.
        squares: the sums of squares of the inputs [blocks, m], as they are.
    """

    gram: Tensor
    cross: Tensor
    energy: float
    squares: Tensor

    def error(self, weight: Tensor) -> float:
        """The sum of squared output errors of weights [blocks, out, m]; rounding aside, >= 0."""
        fitted = weight @ self.gram - 2 * self.cross
        return self.energy + float((fitted * weight).sum())

    def damped(self, weight: Tensor, damping: float) -> Problem:
        """With a penalty on the distance from the given weights, so that the best are unique.

        It weighs `damping` times the mean square of a block's inputs, and more than rounding, which
        is all that is left of a constant input once the bias is free. The dense weights thus remain
        the best where the inputs are the dense net's.
        """
        mean = self.gram.diagonal(dim1=1, dim2=2).mean(1, keepdim=True).clamp_min(0)
        penalty = (damping * mean + _ROUNDING * self.squares).clamp_min(_LEAST)
        gram = self.gram.clone()
        gram.diagonal(dim1=1, dim2=2).add_(penalty)
        penalty = penalty[:, None]
        energy = self.energy + float((penalty * weight.square()).sum())
        return Problem(gram, self.cross + penalty * weight, energy, self.squares)


def factor(matrices: Tensor) -> Tensor:
    """Cholesky factors of finite matrices [..., m, m] that are positive definite up to rounding.

    Raises ValueError if they are far from it.
    """
    eye = torch.eye(matrices.shape[-1], dtype=matrices.dtype)
    size = matrices.diagonal(dim1=-2, dim2=-1).abs().mean(-1)[..., None, None]
    for more in (0.0, 1e-6, 1e-4, 1e-2, 2.0 * len(eye)):
        result = torch.linalg.cholesky_ex(matrices + more * size * eye if more else matrices)
        if not bool(result.info.any()):
            factors: Tensor = result.L
            return factors
    raise ValueError("no Gram matrix: it is far from positive definite")


class Sums:
    """The sums over all rows that make a problem.

    Args:
        blocks: how many blocks the weight has.
        outputs: rows of the weight in each block.
        inputs: columns of each block.
    """

    def __init__(self, blocks: int, outputs: int, inputs: int) -> None:
        self.outputs = outputs
        self._gram = torch.zeros(blocks, inputs, inputs, dtype=torch.float64)
        self._cross = torch.zeros(blocks, outputs, inputs, dtype=torch.float64)
        self._inputs = torch.zeros(blocks, inputs, dtype=torch.float64)
        self._outputs = torch.zeros(blocks, outputs, dtype=torch.float64)
        self._rows = torch.zeros(blocks, dtype=torch.float64)
        self._energy = torch.zeros(blocks, dtype=torch.float64)

    def add(self, first: int, inputs: Tensor, outputs: Tensor) -> None:
        """Rows of X [blocks or 1, n, m] and outputs [blocks, n, out] of the blocks from `first`."""
        blocks = slice(first, first + len(outputs))
        self._gram[blocks] += (inputs.mT @ inputs).cpu()
        self._cross[blocks] += (outputs.mT @ inputs).cpu()
        self._inputs[blocks] += inputs.sum(1).cpu()
        self._outputs[blocks] += outputs.sum(1).cpu()
        self._energy[blocks] += outputs.square().sum((1, 2)).cpu()
        self._rows[blocks] += inputs.shape[1]

    def used(self) -> Tensor:
        """Booleans [m]: the inputs that are not zero in some row of some block."""
        return (self._squares() != 0).any(0)

    def only(self, inputs: Tensor) -> Sums:
        """The sums of some inputs, booleans [m]."""
        if bool(inputs.all()):
            return self
        some = Sums(len(self._rows), self.outputs, int(inputs.sum()))
        some._gram = self._gram[:, inputs][:, :, inputs]
        some._cross = self._cross[:, :, inputs]
        some._inputs = self._inputs[:, inputs]
        some._outputs, some._rows, some._energy = self._outputs, self._rows, self._energy
        return some

    def problem(self) -> Problem:
        """With the bias, if there is one, as it is."""
        return Problem(self._gram, self._cross, float(self._energy.sum()), self._squares())

    def centered(self) -> Problem:
        """With the best bias for each output, whatever the weights."""
        rows = self._rows[:, None, None].clamp_min(1)
        inputs, outputs = self._inputs[:, None], self._outputs[:, :, None]
        gram = self._gram - inputs.mT @ inputs / rows
        cross = self._cross - outputs @ inputs / rows
        shift = self._outputs.square().sum(1) / rows[:, 0, 0]
        return Problem(gram, cross, float((self._energy - shift).sum()), self._squares())

    @property
    def rows(self) -> Tensor:
        """How many rows there were of each block's inputs, [blocks]."""
        return self._rows

    def finite(self) -> bool:
        """Whether all of the rows were."""
        return all(bool(each.isfinite().all()) for each in (self._gram, self._cross, self._energy))

    def _squares(self) -> Tensor:
        return self._gram.diagonal(dim1=1, dim2=2)

    def bias_change(self, weight: Tensor) -> Tensor:
        """What to add to the biases [blocks, out] for the best ones of weights."""
        given = self._outputs - (weight @ self._inputs[:, :, None])[:, :, 0]
        return given / self._rows[:, None].clamp_min(1)
