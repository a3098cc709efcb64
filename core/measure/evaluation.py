"""The accuracy of a net on a split: on all images, or on a growing sample."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from core.data.batches import Images, Splits
from core.errors import StoppedError
from core.events import Accuracy, Measured, Progress, StopFlag, Stream, never, portions
from core.measure.coarse_filter import CoarseFilter
from core.nets.calls import EVALUATION, NetCall, evaluation_mode
from core.pruning.curves import Sample, SampleUpdated

EVALUATION_BATCH = 500
"""Images per batch, unless they are large."""

INTERACTIVE_BATCH = 250
"""Images between two checks of the stop flag beside a job: a few hundredths of a second."""

_SUBJECTS = {
    "dense": "the dense net",
    "pruned": "the pruned net",
    "finetuned": "the fine-tuned net",
    "file": "the net in the file",
    "model": "the net",
}
"""The nets of stages whose own name does not say it."""

_VALUES = 480_000
"""Most values per batch: three color images of 224 x 224, for which VGG-16's first two layers need
80 MB. Larger batches are no faster on a CPU, and a key press has to wait for the batch to end."""


def batch_size_for(data: Images, most: int = EVALUATION_BATCH) -> int:
    """How many images of a split to evaluate at once: `most`, or fewer if they are large."""
    return max(1, min(most, _VALUES // max(1, data.values)))


def batches(data: Images, most: int = EVALUATION_BATCH) -> list[slice]:
    """The batches, of at most `most` images, in which to evaluate a split."""
    size = batch_size_for(data, most)
    return [slice(start, start + size) for start in range(0, len(data), size)]


def growing_predictions(
    model: nn.Module,
    data: Images,
    batches: Sequence[slice] | Sequence[Tensor],
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Iterator[Tensor]:
    """Yield the predictions [n] for the first n images of `batches`; n grows from 0 to all.

    `batches` index all images of `data`, in any order. Predictions are those of float32; precision
    `bf16` is faster, see `core.measure.coarse_filter`, and starts over in float32 if it proves
    unsound. Leaves `model` in evaluation mode. Raises StoppedError if `stop` is raised.
    """
    evaluation_mode(model)
    coarse_filter, done = CoarseFilter(), 0
    predictions = torch.empty(len(data), dtype=torch.int64, device=data.device)
    for index in batches:
        if stop():
            raise StoppedError("stopped before all images were measured")
        yield predictions[:done]
        batch = _predict(model, data.batch(index)[0], coarse_filter, precision)
        predictions[done : done + len(batch)] = batch
        done += len(batch)
        if not coarse_filter.sound:
            yield from growing_predictions(model, data, batches, "fp32", stop)
            return
    yield predictions


def _predict(
    model: nn.Module, images: Tensor, coarse_filter: CoarseFilter, precision: str
) -> Tensor:
    def logits(index: Tensor | None) -> Tensor:
        # A copy: a net may write into its input, and it may run more than once.
        values: Tensor = model(images.clone() if index is None else images[index])
        return values

    with torch.inference_mode(), NetCall(EVALUATION, images):
        return coarse_filter.predict(logits, images.device, precision)


def evaluate(
    model: nn.Module,
    data: Images,
    step: str = "measuring",
    stop: StopFlag = never,
    precision: str = "fp32",
) -> Stream[float]:
    """The accuracy of `model` on `data` in percent; see `growing_predictions`."""
    for predictions in growing_predictions(model, data, batches(data), precision, stop):
        yield Progress(step, len(predictions), len(data), "images")
    return 100.0 * int((predictions == data.labels).sum()) / len(data)


def subject_of(stage: str) -> str:
    """The net of a stage in words, such as `the fine-tuned net`."""
    return _SUBJECTS.get(stage, f"the {stage} net")


def images_to_measure(data: Splits) -> int:
    """How many images `measure` measures."""
    return len(data.validation) + (0 if data.test is data.validation else len(data.test))


def measure(
    model: nn.Module, data: Splits, stage: str, stop: StopFlag = never, precision: str = "fp32"
) -> Stream[Accuracy]:
    """The accuracy of `model` on validation and test; also reported as `Measured(stage)`.

    Raises StoppedError if `stop` is raised.
    """
    step = f"measuring {subject_of(stage)} on"
    first, second = portions(len(data.validation), images_to_measure(data) - len(data.validation))
    yield first
    test = validation = yield from evaluate(
        model, data.validation, f"{step} validation", stop, precision
    )
    if data.test is not data.validation:
        yield second
        test = yield from evaluate(model, data.test, f"{step} test", stop, precision)
    accuracy = Accuracy(validation, test, (len(data.validation), len(data.test)))
    yield Measured(stage, accuracy)
    return accuracy


def sample_accuracy(
    model: nn.Module,
    data: Images,
    *,
    seed: int = 0,
    precision: str = "fp32",
    stop: StopFlag = never,
) -> Stream[Sample]:
    """Count the images that `model` classifies correctly, on a growing sample and then on all.

    Reports `SampleUpdated` after 250 images, after twice as many, and so on; the order is drawn
    from `seed`. See `growing_predictions`.
    """
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    labels, goal = data.labels[order.to(data.device)], INTERACTIVE_BATCH
    batches = torch.split(order, batch_size_for(data, INTERACTIVE_BATCH))
    for predictions in growing_predictions(model, data, batches, precision, stop):
        images = len(predictions)
        if images == len(data) or images >= goal:
            goal = 2 * images
            correct = int((predictions == labels[:images]).sum())
            sample = Sample(correct, images, len(data))
            yield SampleUpdated(sample)
    return sample
