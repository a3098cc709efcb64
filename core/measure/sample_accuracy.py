"""The accuracy of a net on a growing sample: a rough number at once, better ones soon after."""

import torch
from torch import nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import StopFlag, Stream, never
from core.measure.bf16_filter import Bf16Filter
from core.measure.evaluation import batch_size_for, count_correct, predict
from core.pruning.curves import Sample, SampleUpdated

FIRST = 250
"""Images in the first sample; each further sample is twice as large."""

BATCH = 250
"""Images between two checks of the stop flag: some hundredths of a second."""


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
    from `seed`. Counts are those of float32 in any precision, see `bf16_filter`. Raises
    StoppedError if `stop` is raised.
    """
    model.eval()
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    bf16_filter, correct, seen, goal = Bf16Filter(), 0, 0, FIRST
    for index in torch.split(order, batch_size_for(data, BATCH)):
        if stop():
            raise StoppedError("stopped: the accuracy is known for a sample only")
        predictions, labels = predict(model, data, index, bf16_filter, precision)
        correct += int((predictions == labels).sum())
        seen += len(index)
        if goal <= seen < len(data) and bf16_filter.sound:
            goal = 2 * seen
            yield SampleUpdated(Sample(correct, seen, len(data)))
    if not bf16_filter.sound:
        correct = yield from count_correct(model, data, stop=stop)
    sample = Sample(correct, len(data), len(data))
    yield SampleUpdated(sample)
    return sample
