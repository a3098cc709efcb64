"""Dense training as a stream of events."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from core.data.batches import Splits
from core.errors import StoppedError
from core.events import Accuracy, Epoch, StopFlag, Stream, never, portions, within
from core.measure.evaluation import evaluate, images_to_measure, measure
from core.nets.calls import NetError
from core.nets.weights import Weights, copy_weights, load_into
from core.pruning.masks import NO_MASKS, Masks
from core.training.checkpoints import Checkpoint
from core.training.loop import STEP_COST, BestEpoch, Trainer
from core.training.recipes import Phase


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """The result of dense training: the weights of `best`, the best epoch on validation.

    Attributes:
        early: the weights after the first epoch, for rewinding.
        run: the run that records it; None if unrecorded.
        diverged: whether a non-finite loss ended training early.
        error: what the net's own code raised, if that ended training early; else empty.
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
    error: str = ""


def train(
    model: nn.Module,
    data: Splits,
    phase: Phase,
    *,
    masks: Masks = NO_MASKS,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
    checkpoints: bool = False,
    resume: Mapping[str, Any] | None = None,
    remake: Callable[[], nn.Module] | None = None,
) -> Stream[TrainingResult]:
    """Train `model` from its own initial weights and return the best epoch on validation.

    A raised stop flag, a non-finite loss or an error in the net's own code ends training within one
    batch; the result is the best epoch so far. After an error it is measured with the model that
    `remake` makes, since the state of the one that raised may make it raise again. Weights that
    `masks` prune are held at zero.

    With `checkpoints`, it yields a `Checkpoint` after every epoch; `resume` takes the state of one
    and continues from there, with the same results as an uninterrupted training.

    Raises:
        StoppedError: training was stopped before the first epoch ended.
        WorkError: the loss diverged, or the net's own code raised, before the first epoch ended.
    """
    masks = masks.to(data.train.device)
    trainer = Trainer(model, data.train, phase, seed, precision)
    epochs: list[Epoch] = []
    best = BestEpoch()
    early: Weights = {}
    if resume is not None:
        trainer.resume(resume["trainer"])
        best.resume(resume["best"])
        early = dict(resume["early"])
        epochs = [Epoch(**epoch) for epoch in resume["epochs"]]
    failure = ""
    training, closing = portions(
        phase.epochs * STEP_COST * len(data.train), images_to_measure(data)
    )
    yield training
    while not trainer.finished:
        try:
            loss = yield from trainer.run_epoch(
                stop, lambda optimizer: masks.hold(model, optimizer)
            )
            if loss is None:
                break
            validation = yield from evaluate(
                model, data.validation, "validating", precision=precision
            )
        except NetError as error:
            if best.epoch is None:
                raise
            failure = str(error)
            break
        seconds, images = trainer.epoch_seconds, len(data.validation)
        epochs.append(Epoch(trainer.epoch, loss, validation, seconds, 0.0, True, 0, images))
        yield epochs[-1]
        early = early or copy_weights(model)
        best.offer(trainer.epoch, validation, model)
        if checkpoints:
            state = {"trainer": trainer.state(), "best": best.state(), "early": early}
            yield Checkpoint.of({**state, "epochs": [asdict(epoch) for epoch in epochs]})
    if best.epoch is None:
        if trainer.stopped:
            raise StoppedError("stopped during the first epoch: nothing to keep")
        text = "training diverged in its first epoch: try another recipe or seed"
        raise trainer.divergence(text)
    weights = best.restore(model)
    if failure and remake is not None:
        model = remake()
        load_into(model, weights)
    accuracy = yield from within(closing, measure(model, data, "dense", precision=precision))
    return TrainingResult(
        weights=weights,
        early=early,
        accuracy=accuracy,
        epochs=tuple(epochs),
        best=best.epoch,
        precision=precision,
        stopped=trainer.stopped or bool(failure),
        diverged=trainer.diverged,
        error=failure,
    )
