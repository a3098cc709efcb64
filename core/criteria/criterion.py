"""What every criterion has, a user's own included, and the sample of images it sees."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import StopFlag, Stream, never
from core.measure.recalibration import sample_batches
from core.nets.layers import Layer

Importance = Mapping[str, Tensor]
"""By the name of a layer, how much each of its weights matters: finite, at least 0."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Some training images for a criterion: up to 1,000, fewer large ones.

    Iterating over it gives batches: images [N, C, H, W], normalized, and labels [N]. It raises
    StoppedError once `stop` is raised.

    Attributes:
        data: the training images.
        seed: draws the sample, and whatever else a criterion draws.
    """

    data: Images
    seed: int = 0
    stop: StopFlag = never

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for index in sample_batches(self.data, self.seed):
            if self.stop():
                raise StoppedError("stopped while ranking the weights")
            yield self.data.batch(index)

    def __len__(self) -> int:
        return sum(map(len, sample_batches(self.data, self.seed)))


@runtime_checkable
class Criterion(Protocol):
    """How much each weight of a net matters.

    Attributes:
        name: for messages.

    Example:
        >>> import core, torch
        >>> from torch import nn
        >>> class LongestRows:
        ...     name = "longest rows"
        ...
        ...     def importance(self, model, layers, sample):
        ...         weights = {layer.name: model.get_parameter(layer.key) for layer in layers}
        ...         return {
        ...             name: weight.abs() * weight.flatten(1).norm(dim=1)[:, None]
        ...             for name, weight in weights.items()
        ...         }
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> images = torch.randint(0, 256, (240, 1, 8, 8), dtype=torch.uint8)
        >>> data = core.splits((images, torch.arange(240) % 10))
        >>> masks = core.prune(model, {"1": 0.75}, criterion=LongestRows(), data=data)
        >>> int(model[1].weight.count_nonzero())
        512
    """

    name: str

    def importance(
        self, model: nn.Module, layers: Sequence[Layer], sample: Sample
    ) -> Importance | Stream[Importance]:
        """How much each weight matters.

        Args:
            model: in evaluation mode; it must stay as it is.
            layers: the prunable layers; `model.get_parameter(layer.key)` is the weight of one.
            sample: training images.

        Returns:
            By the name of a layer, a tensor of its weight's shape, at least 0. Layers left out are
            ranked by magnitude. A long computation may be a generator that yields `core.Progress`.
        """
