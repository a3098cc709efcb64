"""Loss functions: the mean over a batch."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor

from core.training.recipes import Phase


def mean_loss(phase: Phase, logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of a phase, a scalar, for logits [N, K] and classes [N]; see `recipes.LOSSES`."""
    logits = logits.float()
    match phase.loss:
        case "cross-entropy":
            return F.cross_entropy(logits, labels, label_smoothing=phase.smoothing)
        case "margin":
            return F.multi_margin_loss(logits, labels)
        case "squared":
            wanted = F.one_hot(labels, logits.shape[1])
            return (logits - wanted).square().sum(1).mean()
