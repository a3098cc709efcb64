"""The curve of a training: what the accuracy plot draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.events import Batch, Epoch

if TYPE_CHECKING:
    from core.events import Event


@dataclass(frozen=True, slots=True)
class TrainingCurve:
    """How a training goes or went.

    Attributes:
        planned: epochs.
        finetuning: the net is trained towards a plan, so the dense accuracy is worth showing.
        live: after each batch: epochs done (fractional), accuracy in percent and mean loss.
    """

    planned: int
    finetuning: bool
    epochs: tuple[Epoch, ...] = ()
    live: tuple[tuple[float, float, float], ...] = ()
    batch: Batch | None = None

    @property
    def best(self) -> Epoch | None:
        """The epoch whose weights are kept: the first of the best final ones."""
        counting = [epoch for epoch in self.epochs if epoch.final]
        return max(counting, key=lambda epoch: epoch.validation, default=None)

    def after(self, event: Event) -> TrainingCurve:
        """With what a job reports, where that is a batch or an epoch."""
        match event:
            case Batch():
                return self.after_batch(event)
            case Epoch():
                return replace(self, epochs=(*self.epochs, event))
            case _:
                return self

    def after_batch(self, batch: Batch) -> TrainingCurve:
        """With one more batch; its accuracy is smoothed over about the last ten shown."""
        at = batch.epoch - 1 + batch.seen / batch.images
        before = self.live[-1][1] if self.live else batch.accuracy
        smoothed = before + 0.1 * (batch.accuracy - before)
        return replace(self, live=(*self.live, (at, smoothed, batch.loss)), batch=batch)
