"""The accuracy of a net on a growing sample: a rough number at once, better ones soon after."""

import torch
from torch import nn

from core.data.batches import Images
from core.events import StopFlag, Stream, never
from core.measure.evaluation import INTERACTIVE_BATCH, batch_size_for, growing_predictions
from core.pruning.curves import Sample, SampleUpdated

FIRST = 250
"""Images in the first sample; each further sample is twice as large."""


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
    labels, goal = data.labels[order.to(data.device)], FIRST
    batches = torch.split(order, batch_size_for(data, INTERACTIVE_BATCH))
    for predictions in growing_predictions(model, data, batches, precision, stop):
        images = len(predictions)
        if images == len(data) or images >= goal:
            goal = 2 * images
            correct = int((predictions == labels[:images]).sum())
            sample = Sample(correct, images, len(data))
            yield SampleUpdated(sample)
    return sample
