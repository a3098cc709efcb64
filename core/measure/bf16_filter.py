"""The answers that float32 gives, computed in bf16 wherever that cannot change them.

A floating-point filter (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic and Fast
Robust Geometric Predicates"): the cheap arithmetic answers wherever its error cannot turn the
answer, the exact one answers the rest. An answer is the class of the largest logit, and it is safe
where the margin between the two largest exceeds what rounding can do to the difference of two
logits.

That bound is measured, not assumed: some images are computed both ways all along, and the bound is
`SAFETY` times the largest error seen. Should a later error reach a margin that was trusted, `sound`
turns false and the work has to be done again in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from core.system.precision import autocast

SAFETY = 4.0
"""The bound over the largest error seen. On cnn5 and MNIST the largest of 10,000 errors is 2.1
times that of the 128 that are checked first, over twelve points of a scan, each layer and each
sparsity among them: the benchmark `scan_exact` measures it, and counts the test set both ways."""

FIRST_CHECKS, CHECK_EVERY = 128, 128
"""Images computed both ways: about so many at first, spread over a batch, then one of so many."""

ROUNDING = 1e-5
"""Two float32 logits closer than this share of the largest one are a tie: the order of additions,
which the size of a batch may change, decides between them."""

Logits = Callable[[Tensor | None], Tensor]
"""Gives the logits [k, classes] of some of a batch's images, by their indices [k]; None is all."""


class Bf16Filter:
    """Answers for one net, batch after batch.

    Attributes:
        ties: images that it has found to hang on the order of additions even in float32.
    """

    def __init__(self) -> None:
        self.ties = 0
        self._checked = 0
        self._error = 0.0
        self._trusted = math.inf

    @property
    def sound(self) -> bool:
        """No error was as large as a margin that was trusted."""
        return self._trusted == math.inf or self._error < self._trusted

    def predict(self, logits: Logits, device: torch.device, precision: str) -> Tensor:
        """The answers [N] of float32 to a batch of N images.

        Args:
            logits: computes them, in the precision that autocast asks for.
            device: where it does.
            precision: `bf16` for all images first, or `fp32` throughout.
        """
        if precision == "fp32":
            return self.exact(logits(None))
        with autocast(device, precision):
            coarse = logits(None)
        return self.filtered(coarse, logits)

    def exact(self, logits: Tensor) -> Tensor:
        """The answers [N] to float32 logits [N, classes]."""
        near = margins(logits) <= ROUNDING * logits.abs().amax(1)
        self.ties += int(near.sum())
        return logits.argmax(1)

    def filtered(self, coarse: Tensor, exact: Logits) -> Tensor:
        """The answers [N] to coarse logits [N, classes]; `exact` is asked for those in doubt."""
        coarse = coarse.float()
        predict, margin = coarse.argmax(1), margins(coarse)
        checked = torch.zeros_like(predict, dtype=torch.bool)
        checked[:: self._stride(len(coarse))] = True
        self._checked += int(checked.sum())
        self._settle(checked, coarse, predict, exact)
        # Not `margin <= bound`: a margin that is not a finite number is in doubt too.
        doubtful = ~checked & ~((margin > SAFETY * self._error) & margin.isfinite())
        self._settle(doubtful, coarse, predict, exact)
        trusted = margin[~checked & ~doubtful]
        self._trusted = min(self._trusted, float(trusted.min()) if len(trusted) else math.inf)
        return predict

    def _stride(self, images: int) -> int:
        """One image of so many is checked."""
        missing = FIRST_CHECKS - self._checked
        return min(-(-images // missing), CHECK_EVERY) if missing > 0 else CHECK_EVERY

    def _settle(self, which: Tensor, coarse: Tensor, predict: Tensor, exact: Logits) -> None:
        """Put the exact answers to the images `which` [N] in place, and learn from the errors."""
        index = which.nonzero().flatten()
        if not len(index):
            return
        logits = exact(index)
        predict[index] = self.exact(logits)
        difference = coarse[index] - logits
        error = float((difference.amax(1) - difference.amin(1)).max())
        self._error = max(self._error, error if math.isfinite(error) else math.inf)


def margins(logits: Tensor) -> Tensor:
    """The difference between the two largest logits of each image, [N] of [N, classes]."""
    if logits.shape[1] < 2:
        return torch.full_like(logits[:, 0], math.inf)
    largest = logits.topk(2, dim=1).values
    return largest[:, 0] - largest[:, 1]
