"""Splits as tensors, normalized one batch at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision import transforms

from core.data.batches import Splits
from core.data.inputs import Inputs
from core.data.loading import load
from core.events import drain
from tests.digits import TEST, TRAIN


@pytest.mark.parametrize("index", [slice(3, 9), torch.tensor([7, 2, 2])])
def test_a_batch_is_normalized_and_the_images_stay_unchanged(
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


@pytest.mark.parametrize("index", [slice(0, 5), torch.tensor([4, 1])])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images_are_resized_and_normalized_per_channel(
    index: Tensor | slice, layout: torch.memory_format, data_dir: Path
) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    inputs = Inputs(image_size=32, channels=3, mean=mean, std=std)
    dataset = drain(load("mnist", data_dir, inputs=inputs))
    assert dataset.fingerprint == inputs.flags
    data = Splits.of(dataset).with_layout(layout).test
    pixels, labels = data.batch(index)
    gray = torch.from_numpy(dataset.test.images)[:5]
    larger = interpolate(gray.float(), (32, 32), mode="bilinear", antialias=True) / 255
    expected = transforms.Normalize(mean, std)(larger.expand(-1, 3, -1, -1))[index]
    torch.testing.assert_close(pixels, expected, rtol=1e-5, atol=1e-5)
    assert pixels.is_contiguous(memory_format=layout)
    assert torch.equal(labels, data.labels[index])
    assert data.values == 3 * 32 * 32
    assert np.shares_memory(data.images.numpy(), dataset.test.images), "nothing is copied"


def test_settings_equal_to_the_data_sets_own_change_nothing(data_dir: Path) -> None:
    same = Inputs(image_size=28, channels=1, mean=(0.1307,), std=(0.3081,))
    dataset = drain(load("mnist", data_dir, inputs=same))
    assert (dataset.fingerprint, dataset.image_size, dataset.channels) == ("", None, None)


def test_tensors_share_the_memory_of_the_data_set(data_dir: Path) -> None:
    dataset = drain(load("mnist", data_dir, "reference"))
    splits = Splits.of(dataset)
    assert len(splits.train) == TRAIN
    assert splits.validation is splits.test
    assert np.shares_memory(splits.train.images.numpy(), dataset.train.images)


def test_validation_and_test_are_different_by_default(data_dir: Path) -> None:
    splits = Splits.of(drain(load("mnist", data_dir)))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
        TRAIN - TRAIN // 12,
        TRAIN // 12,
        TEST,
    ]
