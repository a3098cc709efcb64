"""The curve of a training, as the accuracy plot draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.events import Batch, Epoch

if TYPE_CHECKING:
    from core.events import Event


def smoothed(before: float | None, accuracy: float) -> float:
    """A batch's accuracy, smoothed over about ten batches, from the smoothed one before it."""
    return accuracy if before is None else before + 0.1 * (accuracy - before)


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """The progress of a training.

    Attributes:
        planned: number of epochs.
        finetuning: whether to compare it with the dense net.
        highest_rate: the recipe's highest learning rate; 0 if unknown.
        live: after each batch: epochs done (fractional), accuracy in percent, mean loss, learning
            rate, and sparsity as a fraction.
    """

    planned: int
    finetuning: bool
    epochs: tuple[Epoch, ...] = ()
    live: tuple[tuple[float, float, float, float, float], ...] = ()
    batch: Batch | None = None
    highest_rate: float = 0.0

    @property
    def best(self) -> Epoch | None:
        """The best epoch at the full plan; the first of equals."""
        counting = [epoch for epoch in self.epochs if epoch.final]
        return max(counting, key=lambda epoch: epoch.validation, default=None)

    def after(self, event: Event) -> TrainingCurve:
        """With one more event, if it is a batch or an epoch."""
        match event:
            case Batch():
                at = event.epoch - 1 + event.seen / event.images
                accuracy = smoothed(self.live[-1][1] if self.live else None, event.accuracy)
                point = at, accuracy, event.loss, event.rate, event.sparsity
                live = (*self.live, point)
                return replace(self, live=live, batch=event)
            case Epoch():
                return replace(self, epochs=(*self.epochs, event))
            case _:
                return self
