"""The curve of a training, as the accuracy plot draws it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.events import Batch, Epoch

if TYPE_CHECKING:
    from core.events import Event


MOST_POINTS = 4_000
"""Points of a curve; of more, every second one is dropped, which no plot can show anyway."""


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
        full_from: the first epoch that ends at the full plan; 0 if that is in force from the start.
        live: after each batch: epochs done (fractional), accuracy in percent, mean loss, learning
            rate, and sparsity as a fraction; of a long training, of some batches.
    """

    planned: int
    finetuning: bool
    epochs: tuple[Epoch, ...] = ()
    live: tuple[tuple[float, float, float, float, float], ...] = ()
    batch: Batch | None = None
    highest_rate: float = 0.0
    full_from: int = 0

    @property
    def best(self) -> Epoch | None:
        """The best epoch at the full plan; the first of equals."""
        counting = [epoch for epoch in self.epochs if epoch.final]
        return max(counting, key=lambda epoch: epoch.validation, default=None)

    @property
    def spoiled_by_stopping(self) -> bool:
        """Whether a stop prunes the rest of the plan without training: no epoch has ended there.

        Where the full plan is in force from the start, nothing is left to prune.
        """
        return self.full_from > 0 and self.best is None

    @property
    def seconds_to_full(self) -> float | None:
        """Seconds until the first epoch ends at the full plan, at the pace so far."""
        if self.batch is None or not self.batch.seconds:
            return None
        done = self.batch.epoch - 1 + self.batch.seen / self.batch.images
        return self.batch.seconds / done * max(0.0, self.full_from - done)

    def after(self, event: Event) -> TrainingCurve:
        """With one more event, if it is a batch or an epoch."""
        match event:
            case Batch():
                at = event.epoch - 1 + event.seen / event.images
                accuracy = smoothed(self.live[-1][1] if self.live else None, event.accuracy)
                point = at, accuracy, event.loss, event.rate, event.sparsity
                before = self.live if len(self.live) < MOST_POINTS else self.live[::2]
                return replace(self, live=(*before, point), batch=event)
            case Epoch():
                return replace(self, epochs=(*self.epochs, event))
            case _:
                return self
