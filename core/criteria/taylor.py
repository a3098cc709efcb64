"""Taylor: what the loss would change, to first order, if a weight were set to zero."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn

from core.criteria.criterion import Importance, Sample
from core.events import Progress, Stream
from core.nets.calls import EVALUATION, NetCall
from core.nets.layers import Layer


class Taylor:
    """The root mean square of g w over batches, g the gradient of the loss.

    (g w)^2 is the squared change of the loss, to first order, without the weight (Molchanov et al.
    2019, "Importance Estimation for Neural Network Pruning", equation 8). The loss is the cross
    entropy with the images' labels. Layers that the logits do not depend on are left out.
    """

    name = "taylor"

    def importance(
        self, model: nn.Module, layers: Sequence[Layer], sample: Sample
    ) -> Stream[Importance]:
        """See `Criterion.importance`."""
        weights = [model.get_parameter(layer.key) for layer in layers]
        squares: list[Tensor | None] = [None] * len(weights)
        batches = done = 0
        with _differentiable(weights):
            for images, labels in sample:
                yield Progress("ranking weights", done, len(sample), "images")
                gradients = _gradients(model, weights, images, labels)
                for place, gradient in enumerate(gradients):
                    if gradient is not None:
                        before = squares[place]
                        square = gradient.square()
                        squares[place] = square if before is None else before.add_(square)
                done, batches = done + len(labels), batches + 1
        pairs = zip(layers, weights, squares, strict=True)
        return {
            layer.name: weight.detach().abs() * (square / batches).sqrt()
            for layer, weight, square in pairs
            if square is not None
        }


def _gradients(
    model: nn.Module, weights: Sequence[Tensor], images: Tensor, labels: Tensor
) -> tuple[Tensor | None, ...]:
    with torch.enable_grad(), NetCall(EVALUATION, images):
        loss = F.cross_entropy(model(images).float(), labels)
        if not loss.requires_grad:
            return (None,) * len(weights)
        return torch.autograd.grad(loss, weights, allow_unused=True)


@contextmanager
def _differentiable(weights: Sequence[Tensor]) -> Iterator[None]:
    """A context in which all weights require a gradient."""
    before = [weight.requires_grad for weight in weights]
    try:
        for weight in weights:
            weight.requires_grad_(True)
        yield
    finally:
        for weight, needed in zip(weights, before, strict=True):
            weight.requires_grad_(needed)
