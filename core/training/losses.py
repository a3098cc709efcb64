"""Loss functions: the mean over a batch."""

import torch.nn.functional as F  # noqa: N812  torch's conventional name
from torch import Tensor

from core.training.recipes import Phase


def mean_loss(phase: Phase, logits: Tensor, labels: Tensor) -> Tensor:
    """The scalar loss of a phase for logits [N, K] and labels [N]; see `recipes.LOSSES`."""
    logits = logits.float()
    match phase.loss:
        case "cross-entropy":
            return F.cross_entropy(logits, labels, label_smoothing=phase.smoothing)
        case "margin":
            return F.multi_margin_loss(logits, labels)
        case "squared":
            return (logits - F.one_hot(labels, logits.shape[1])).square().sum(1).mean()
