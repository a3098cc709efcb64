"""The predictions of float32, computed in bf16 or int8 wherever that cannot change them.

A floating-point filter (Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic and Fast
Robust Geometric Predicates"): cheap arithmetic decides wherever its error cannot change the result,
and exact arithmetic decides the rest. A prediction is the class of the largest logit. It is safe if
the margin between the two largest logits exceeds the error of a difference of two logits.

The error is measured, not assumed: some images are computed both ways throughout, and the bound is
`SAFETY` times the largest error seen. If a later error reaches a margin that was trusted, `sound`
becomes false and the work must be repeated in float32.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from core.measure.int8_convolutions import Int8Convolutions
from core.system.precision import autocast

SAFETY = 4.0
"""The bound divided by the largest error seen. For cnn5 on MNIST the largest of 10,000 errors is
2.1 times the largest of the first 128, over twelve points of a scan that cover each layer and each
sparsity. The benchmark `scan_exact` measures it and counts the test set both ways."""

FIRST_CHECKS, CHECK_EVERY = 128, 128
"""Images computed both ways: about this many of the first batch, then one in this many."""

ROUNDING = 1e-5
"""Two float32 logits closer than this fraction of the largest are a tie: the order of additions,
which depends on the batch size, decides between them."""

Logits = Callable[[Tensor | None], Tensor]
"""Computes the logits [k, classes] of a batch's images with indices [k]; of all if None."""


class CoarseFilter:
    """Predictions of one net, batch after batch.

    Attributes:
        ties: images whose prediction depends on the order of additions even in float32.
        seen: images tried in coarse arithmetic.
        doubtful: how many of them needed float32.
    """

    def __init__(self) -> None:
        self.ties = self.seen = self.doubtful = 0
        self._checked = 0
        self._error = 0.0
        self._trusted = math.inf

    @property
    def pays(self) -> bool:
        """Whether coarse arithmetic has decided most of the images."""
        return 2 * self.doubtful <= self.seen

    @property
    def sound(self) -> bool:
        """Whether every error was smaller than every margin trusted."""
        return self._trusted == math.inf or self._error < self._trusted

    def predict(
        self,
        logits: Logits,
        device: torch.device,
        precision: str,
        int8: Int8Convolutions | None = None,
    ) -> Tensor:
        """The predictions [N] of float32 for a batch of N images.

        Args:
            logits: computes logits, in the precision that autocast selects.
            device: the device of the model.
            precision: `bf16` or `int8` to try all images in that first, or `fp32`.
            int8: computes in `int8`, with inputs that it has rounded before.
        """
        if precision == "fp32":
            return self.exact(logits(None))
        if precision == "int8":
            convolutions = int8 or Int8Convolutions()
            before = convolutions.used
            with convolutions:
                coarse = logits(None)
            in_int8 = convolutions.used > before
            return self.filtered(coarse, logits) if in_int8 else self.exact(coarse)
        with autocast(device, precision):
            coarse = logits(None)
        return self.filtered(coarse, logits)

    def exact(self, logits: Tensor) -> Tensor:
        """The predictions [N] from float32 logits [N, classes]."""
        near = margins(logits) <= ROUNDING * logits.abs().amax(1)
        self.ties += int(near.sum())
        return logits.argmax(1)

    def filtered(self, coarse: Tensor, exact: Logits) -> Tensor:
        """The predictions [N] from coarse logits [N, classes]; `exact` recomputes doubtful ones."""
        coarse = coarse.float()
        predict, margin = coarse.argmax(1), margins(coarse)
        checked = torch.zeros_like(predict, dtype=torch.bool)
        missing = FIRST_CHECKS - self._checked
        stride = min(-(-len(coarse) // missing), CHECK_EVERY) if missing > 0 else CHECK_EVERY
        checked[::stride] = True
        self._checked += int(checked.sum())
        self._settle(checked, coarse, predict, exact)
        # Not `margin <= bound`: a margin that is not finite is doubtful too.
        doubtful = ~checked & ~((margin > SAFETY * self._error) & margin.isfinite())
        self._settle(doubtful, coarse, predict, exact)
        self.seen, self.doubtful = self.seen + len(margin), self.doubtful + int(doubtful.sum())
        trusted = margin[~checked & ~doubtful]
        self._trusted = min(self._trusted, float(trusted.min()) if len(trusted) else math.inf)
        return predict

    def _settle(self, which: Tensor, coarse: Tensor, predict: Tensor, exact: Logits) -> None:
        """Replace the predictions for the images `which` [N] by exact ones; record the errors."""
        index = which.nonzero().flatten()
        if not len(index):
            return
        logits = exact(index)
        predict[index] = self.exact(logits)
        difference = coarse[index] - logits
        error = float((difference.amax(1) - difference.amin(1)).max())
        self._error = max(self._error, error if math.isfinite(error) else math.inf)


def margins(logits: Tensor) -> Tensor:
    """The difference between the two largest logits of each image: [N] from [N, classes]."""
    if logits.shape[1] < 2:
        return torch.full_like(logits[:, 0], math.inf)
    largest = logits.topk(2, dim=1).values
    return largest[:, 0] - largest[:, 1]
