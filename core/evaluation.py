"""How good a net is: images counted, accuracies measured, as streams of events."""

from __future__ import annotations

import torch
from torch import nn

from core.batches import Images, Splits
from core.errors import StoppedError
from core.events import Accuracy, Measured, Progress, StopFlag, Stream, never

EVALUATION_BATCH = 500


def count_correct(
    model: nn.Module, data: Images, step: str = "measure", stop: StopFlag = never
) -> Stream[int]:
    """Count the images of `data` that `model` gets right, in float32.

    Raises:
        StoppedError: `stop` was raised.
    """
    model.eval()
    correct = 0
    for start in range(0, len(data), EVALUATION_BATCH):
        if stop():
            raise StoppedError("stopped: nothing was measured")
        yield Progress(step, start, len(data), "images")
        images, labels = data.batch(slice(start, start + EVALUATION_BATCH))
        with torch.inference_mode():
            correct += int((model(images).argmax(1) == labels).sum())
    yield Progress(step, len(data), len(data), "images")
    return correct


def evaluate(
    model: nn.Module, data: Images, step: str = "measure", stop: StopFlag = never
) -> Stream[float]:
    """The accuracy of `model` on `data` in percent; raises StoppedError like `count_correct`."""
    return 100.0 * (yield from count_correct(model, data, step, stop)) / len(data)


def measure(model: nn.Module, data: Splits, stage: str, stop: StopFlag = never) -> Stream[Accuracy]:
    """The accuracy of `model` on validation and test, told as the event `Measured(stage)`.

    Raises:
        StoppedError: `stop` was raised.
    """
    on_validation, on_test = (f"measure {stage} on {split}" for split in ("validation", "test"))
    validation = yield from evaluate(model, data.validation, on_validation, stop)
    if data.test is data.validation:
        test = validation
    else:
        test = yield from evaluate(model, data.test, on_test, stop)
    accuracy = Accuracy(validation, test)
    yield Measured(stage, accuracy)
    return accuracy
