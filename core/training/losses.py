"""Loss functions: the mean over a batch, by its labels and by the outputs of another net.

To learn those is called distillation (Hinton et al. 2015).
"""

import torch
import torch.nn.functional as F  # noqa: N812  torch's conventional name
from torch import Tensor, nn

from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.system.precision import autocast
from core.training.recipes import Phase

TEMPERATURE = 4.0
"""Divides the logits of both nets; the higher, the more the teacher's small outputs count.

At 2, 4 and 8, LeNet-5 at 200x does alike within chance (98.86, 98.90 and 98.74 % on validation).
"""


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


class Teacher:
    """A net whose outputs another one learns.

    Args:
        net: gives logits [N, K]; on the device of the images, with weights that stay as they are.
        share: of distillation in the loss, from 0 to 1; the rest is the loss by labels.
        precision: `fp32` or `bf16`.
        layout: memory layout that the net accepts; by default, that of the images.
    """

    def __init__(
        self,
        net: nn.Module,
        share: float,
        precision: str,
        layout: torch.memory_format = torch.preserve_format,
    ) -> None:
        self._net = evaluation_mode(net).requires_grad_(False)
        self.share = share
        self._precision = precision
        self._layout = layout

    def logits(self, images: Tensor) -> Tensor:
        """The logits [N, K] of images [N, C, H, W]; raises NetError if the net's code raises."""
        with torch.no_grad(), NetCall(EVALUATION, images), autocast(images.device, self._precision):
            own = images.clone(memory_format=self._layout)  # a net may write into its input
            logits: Tensor = self._net(own)
        return logits.float()

    def mixed(self, loss: Tensor, logits: Tensor, taught: Tensor) -> Tensor:
        """The scalar loss by labels mixed with the distance of logits [N, K] from those `taught`.

        The distance is the Kullback-Leibler divergence of the softened outputs, times the square
        of the temperature, so that its gradient has the size of the other's (section 2).
        """
        softened = F.log_softmax(logits.float() / TEMPERATURE, 1)
        target = F.log_softmax(taught / TEMPERATURE, 1)
        distance = F.kl_div(softened, target, reduction="batchmean", log_target=True)
        return (1 - self.share) * loss + self.share * TEMPERATURE**2 * distance
