"""Training a net whose weights share few values, and whose biases are whole steps.

The net computes with the rounded numbers, and what a step of the optimiser makes of them goes to
exact ones behind them (the straight-through estimator of Bengio et al. 2013), which are rounded
again: a weight may change its code, and a shared value is the mean of the weights behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.codebooks import Codebook, means, nearest

BIAS_STEP = 0.25
"""Of the root mean square of a layer's biases: much finer changed no answer that was seen."""


@dataclass(frozen=True, eq=False)
class Steps:
    """A tensor in whole steps.

    Attributes:
        step: the length of one, a float32.
        counts: how many, int32, of the tensor's shape.
    """

    step: float
    counts: Tensor

    @classmethod
    def of(cls, tensor: Tensor) -> Steps:
        """Round a tensor to steps of a part of its spread."""
        spread = float(tensor.double().square().mean().sqrt())
        step = float(torch.tensor(BIAS_STEP * spread or 1.0, dtype=torch.float32))
        return cls(step, _rounded(tensor, step))

    def tensor(self) -> Tensor:
        """The rounded tensor, float32."""
        return self.counts.float() * self.step


class Sharing:
    """Exact numbers behind rounded ones, while a model trains."""

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        books: Mapping[str, Codebook],
        steps: Mapping[str, Steps],
    ) -> None:
        self._books, self._steps = dict(books), dict(steps)
        self._exact = {name: weights[name].clone() for name in steps}
        self._exact |= {name: weights[name].flatten()[it.places] for name, it in books.items()}
        self._rounded = self.tensors()

    def tensors(self) -> dict[str, Tensor]:
        """What the model computes with."""
        books = {name: book.weight() for name, book in self._books.items()}
        return books | {name: it.tensor() for name, it in self._steps.items()}

    @torch.no_grad()
    def after_step(self, model: nn.Module) -> None:
        """Take what the optimiser has moved to the exact numbers, and round them anew."""
        for name, before in self._rounded.items():
            moved = model.get_parameter(name) - before
            if name in self._books:
                book = self._books[name]
                self._exact[name] += moved.flatten()[book.places]
                self._books[name] = _settled(book, self._exact[name])
            else:
                self._exact[name] += moved
                step = self._steps[name].step
                self._steps[name] = Steps(step, _rounded(self._exact[name], step))
        self._rounded = self.tensors()
        for name, tensor in self._rounded.items():
            model.get_parameter(name).copy_(tensor)

    def state(self) -> tuple[dict[str, Codebook], dict[str, Steps]]:
        """The codebooks and the steps that the model's weights are made of now."""
        return dict(self._books), dict(self._steps)


def _settled(book: Codebook, exact: Tensor) -> Codebook:
    """The codes of the nearest values, and the values in the middle of their weights."""
    codes = nearest(exact, book.values)
    values = means(exact, codes, book.values)
    return replace(book, values=values, codes=codes)


def _rounded(tensor: Tensor, step: float) -> Tensor:
    return (tensor.double() / step).round().to(torch.int32)
