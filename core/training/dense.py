"""Train a dense net, as a stream of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from core.data.batches import Splits
from core.errors import StoppedError, WorkError
from core.events import Accuracy, Epoch, StopFlag, Stream, never
from core.measure.evaluation import evaluate, measure
from core.nets.weights import Weights
from core.training.checkpoints import Checkpoint
from core.training.loop import Best, Trainer, copy_weights
from core.training.recipes import Phase


@dataclass(frozen=True, eq=False)
class Trained:
    """What dense training made: the best epoch's weights on validation.

    Attributes:
        early: the weights at the end of the first epoch, to rewind to.
        best: the epoch they are from.
        run: that it is recorded as; None where it is not.
        stopped: its stop flag ended it early.
        diverged: a loss that is not finite ended it early.
    """

    weights: Weights
    early: Weights
    accuracy: Accuracy
    epochs: tuple[Epoch, ...]
    best: int
    precision: str
    stopped: bool
    diverged: bool
    run: str | None = None


def train(
    model: nn.Module,
    data: Splits,
    phase: Phase,
    *,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
    checkpoints: bool = False,
    resume: Mapping[str, Any] | None = None,
) -> Stream[Trained]:
    """Train `model` from its own initial weights; the best epoch on validation is the result.

    When `stop` is raised it ends within one batch and keeps the best epoch so far; a loss that is
    not finite ends it likewise.

    With `checkpoints` it tells a `Checkpoint` after every epoch; with the state of one, `resume`,
    it goes on from there, and what comes is what would have come.

    Raises:
        StoppedError: it was stopped before the first epoch ended.
        WorkError: the loss diverged before the first epoch ended.
    """
    trainer = Trainer(model, data.train, phase, seed, precision)
    epochs: list[Epoch] = []
    best = Best()
    early: Weights = {}
    if resume is not None:
        trainer.resume(resume["trainer"])
        best.resume(resume["best"])
        early = dict(resume["early"])
        epochs = [Epoch(**epoch) for epoch in resume["epochs"]]
    while not trainer.finished:
        loss = yield from trainer.run_epoch(stop)
        if loss is None:
            break
        validation = yield from evaluate(model, data.validation, "validate", precision=precision)
        epochs.append(Epoch(trainer.epoch, loss, validation, trainer.epoch_seconds, 0.0, True, 0))
        yield epochs[-1]
        early = early or copy_weights(model)
        best.offer(trainer.epoch, validation, model)
        if checkpoints:
            rows = [asdict(epoch) for epoch in epochs]
            state = {"trainer": trainer.state(), "best": best.state()}
            yield Checkpoint.of({**state, "early": early, "epochs": rows})
    if best.epoch is None:
        if trainer.stopped:
            raise StoppedError("stopped before the first epoch ended: there is nothing to keep")
        raise WorkError("training diverged in its first epoch: try another recipe or seed")
    weights = best.restore(model)
    accuracy = yield from measure(model, data, "dense", precision=precision)
    return Trained(
        weights=weights,
        early=early,
        accuracy=accuracy,
        epochs=tuple(epochs),
        best=best.epoch,
        precision=precision,
        stopped=trainer.stopped,
        diverged=trainer.diverged,
    )
