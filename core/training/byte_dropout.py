"""Dropout from random bytes: fewer random numbers to draw than `nn.Dropout` needs.

Torch draws a mask with `bernoulli_`, one number per element, on one core: 15 % of a training step.
A random byte per element, compared with the probability in 256ths, takes an eighth of the draws.
"""

import torch
from torch import Generator, Tensor, nn


class ByteDropout(nn.Dropout):
    """`nn.Dropout` with its probability rounded to 256ths and its own generator.

    Kept values are scaled by the inverse of the rounded keep probability, so dropout is unbiased.
    """

    def __init__(self, p: float, generator: Generator) -> None:
        super().__init__(p)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Zero each element of `x`, of any shape, with probability p; identity in evaluation."""
        kept = 256 - round(256 * self.p)
        if not self.training or kept == 256:
            return x
        if kept == 0:
            return torch.zeros_like(x)
        keep = self._bytes_like(x) < kept
        return x * keep.to(x.dtype).mul_(256 / kept)

    def _bytes_like(self, x: Tensor) -> Tensor:
        """Random bytes in the shape and memory format of `x`, drawn eight at a time."""
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self.generator)
        # In the order of x's memory: another order would be transposed at every use.
        strides = torch.empty_like(x, device="meta").stride()
        return words.view(torch.uint8).as_strided(x.shape, strides)


def use_byte_dropout(model: nn.Module, generator: Generator) -> None:
    """Replace every `nn.Dropout` in `model`; already replaced ones get the new generator."""
    fast: dict[nn.Module, ByteDropout] = {}
    for path, child in list(model.named_modules(remove_duplicate=False)):
        if isinstance(child, nn.Dropout) and type(child) in (nn.Dropout, ByteDropout):
            if child not in fast:
                fast[child] = ByteDropout(child.p, generator).train(child.training)
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, fast[child])
