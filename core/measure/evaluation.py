"""Accuracy of a net on a split, as streams of events."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.errors import StoppedError
from core.events import Accuracy, Measured, Progress, StopFlag, Stream, never
from core.measure.bf16_filter import Bf16Filter

EVALUATION_BATCH = 500
"""Images per batch, unless they are large."""

_VALUES = 480_000
"""Most values per batch: three color images of 224 x 224, for which VGG-16's first two layers need
80 MB. Larger batches are no faster on a CPU, and a key press has to wait for the batch to end."""


def batch_size_for(data: Images, most: int = EVALUATION_BATCH) -> int:
    """How many images of a split to evaluate at once: `most`, or fewer if they are large."""
    return max(1, min(most, _VALUES // max(1, data.values)))


def batches(data: Images, most: int = EVALUATION_BATCH) -> Iterator[slice]:
    """The batches, of at most `most` images, in which to evaluate a split."""
    size = batch_size_for(data, most)
    return (slice(start, start + size) for start in range(0, len(data), size))


def count_correct(
    model: nn.Module,
    data: Images,
    step: str = "measure",
    stop: StopFlag = never,
    precision: str = "fp32",
) -> Stream[int]:
    """Count the images of `data` that `model` classifies correctly in float32.

    With precision `bf16` the count is the same but faster, see `core.measure.bf16_filter`. Raises
    StoppedError if `stop` is raised.
    """
    model.eval()
    bf16_filter, correct = Bf16Filter(), 0
    for batch in batches(data):
        if stop():
            raise StoppedError("stopped: nothing was measured")
        yield Progress(step, batch.start, len(data), "images")
        predictions, labels = predict(model, data, batch, bf16_filter, precision)
        correct += int((predictions == labels).sum())
    if not bf16_filter.sound:
        return (yield from count_correct(model, data, step, stop))
    yield Progress(step, len(data), len(data), "images")
    return correct


def predict(
    model: nn.Module, data: Images, index: slice | Tensor, bf16_filter: Bf16Filter, precision: str
) -> tuple[Tensor, Tensor]:
    """The classes that `model`, in evaluation mode, predicts in float32 for images; the labels."""
    images, labels = data.batch(index)

    def logits(index: Tensor | None) -> Tensor:
        # A copy: a net may write into its input, and it may run more than once.
        values: Tensor = model(images.clone() if index is None else images[index])
        return values

    with torch.inference_mode():
        return bf16_filter.predict(logits, images.device, precision), labels


def evaluate(
    model: nn.Module,
    data: Images,
    step: str = "measure",
    stop: StopFlag = never,
    precision: str = "fp32",
) -> Stream[float]:
    """The accuracy of `model` on `data` in percent; see `count_correct`."""
    return 100.0 * (yield from count_correct(model, data, step, stop, precision)) / len(data)


def measure(
    model: nn.Module, data: Splits, stage: str, stop: StopFlag = never, precision: str = "fp32"
) -> Stream[Accuracy]:
    """The accuracy of `model` on validation and test; also reported as `Measured(stage)`.

    Raises StoppedError if `stop` is raised.
    """
    step = f"measure {stage} on"
    test = validation = yield from evaluate(
        model, data.validation, f"{step} validation", stop, precision
    )
    if data.test is not data.validation:
        test = yield from evaluate(model, data.test, f"{step} test", stop, precision)
    accuracy = Accuracy(validation, test)
    yield Measured(stage, accuracy)
    return accuracy
