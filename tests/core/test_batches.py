"""Splits as tensors, normalised a batch at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.batches import Splits
from core.datasets import load
from core.events import drain


@pytest.mark.parametrize("index", [slice(3, 9), torch.tensor([7, 2, 2])])
def test_a_batch_is_normalised_and_the_images_are_left_alone(
    index: Tensor | slice, tiny: Splits
) -> None:
    data = tiny.train
    before = data.images.clone()
    pixels, labels = data.batch(index)
    expected = (before[index].double() / 255 - 0.1307) / 0.3081
    torch.testing.assert_close(pixels, expected.float(), rtol=1e-5, atol=1e-5)
    assert pixels.dtype == torch.float32
    assert torch.equal(labels, data.labels[index])
    assert torch.equal(data.images, before)


def test_tensors_share_the_memory_of_the_data_set(data_dir: Path) -> None:
    dataset = drain(load("mnist", data_dir, "reference"))
    splits = Splits.of(dataset)
    assert len(splits.train) == 60_000
    assert splits.validation is splits.test
    assert np.shares_memory(splits.train.images.numpy(), dataset.train.images)


def test_validation_and_test_are_apart_by_default(data_dir: Path) -> None:
    splits = Splits.of(drain(load("mnist", data_dir)))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
        55_000,
        5_000,
        10_000,
    ]
