"""What MNIST looks like in memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.class_names import CLASS_NAMES
from core.data.loading import load
from core.data.registry import DATASETS, check_name
from core.data.splits import Dataset, Split, validation_indices
from core.errors import InputError, StoppedError
from core.events import Progress, drain


@pytest.fixture(scope="module")
def mnist(mnist_dir: Path) -> Dataset:
    return drain(load("mnist", mnist_dir))


@pytest.fixture(scope="module")
def reference(mnist_dir: Path) -> Dataset:
    return drain(load("mnist", mnist_dir, "reference"))


@pytest.mark.parametrize(
    ("name", "size"), [("train", 55_000), ("validation", 5_000), ("test", 10_000)]
)
def test_mnist_has_55000_5000_and_10000_images_of_28_by_28(
    mnist: Dataset, name: str, size: int
) -> None:
    part: Split = getattr(mnist, name)
    assert part.images.shape == (size, 1, 28, 28)
    assert part.images.dtype == np.uint8
    assert part.labels.shape == (size,)
    assert part.labels.dtype == np.int64


def test_a_folder_that_is_named_without_its_prefix_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shapes").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"; did you mean folder:shapes\?$"):
        check_name("shapes")
    with pytest.raises(InputError, match=r"images by class\)$"):
        check_name("forms")


def test_a_data_set_says_its_name_protocol_and_classes(mnist: Dataset) -> None:
    assert (mnist.name, mnist.protocol, mnist.classes) == ("mnist", "default", 10)


@pytest.mark.slow
def test_classes_with_names_are_called_as_torchvision_calls_them() -> None:
    from torchvision import datasets

    for name, names in CLASS_NAMES.items():
        theirs = getattr(datasets, DATASETS[name].folder)
        known = getattr(theirs, "classes_split_dict", {}).get("balanced")
        assert list(names) == (known or getattr(theirs, "classes", sorted(names)))
        assert len(set(names)) == DATASETS[name].classes


def test_mean_and_deviation_are_those_of_the_training_images(reference: Dataset) -> None:
    pixels = reference.train.images / np.float32(255)
    assert pixels.mean(dtype=np.float64) == pytest.approx(reference.mean, abs=5e-5)
    assert pixels.std(dtype=np.float64) == pytest.approx(reference.std, abs=5e-5)


def test_validation_is_stratified(mnist: Dataset, reference: Dataset) -> None:
    counts = np.bincount(mnist.validation.labels, minlength=10)
    assert np.all(np.abs(counts - np.bincount(reference.train.labels) / 12) < 1)


def test_train_and_validation_share_the_training_images(mnist: Dataset, reference: Dataset) -> None:
    chosen = validation_indices(reference.train.labels)
    rest = np.setdiff1d(np.arange(60_000), chosen)
    assert len(chosen) == 5_000
    for part, indices in ((mnist.validation, chosen), (mnist.train, rest)):
        np.testing.assert_array_equal(part.images, reference.train.images[indices])
        np.testing.assert_array_equal(part.labels, reference.train.labels[indices])


def test_validation_never_changes(reference: Dataset) -> None:
    chosen = validation_indices(reference.train.labels)
    assert chosen[:5].tolist() == [7, 9, 23, 46, 47]
    digest = hashlib.sha256(chosen.astype("<i8").tobytes()).hexdigest()
    assert digest == "6138b33ce230f31775532aeb90c67164cbfa5502db1bf8b695d4ad08b330375c"


def test_reference_trains_on_all_and_chooses_on_test(reference: Dataset) -> None:
    assert reference.protocol == "reference"
    assert len(reference.train.labels) == 60_000
    assert reference.validation is reference.test


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="'emnist': expected one of mnist"):
        drain(load("emnist"))


def test_an_unknown_protocol_lists_the_known_ones(mnist_dir: Path) -> None:
    with pytest.raises(InputError, match="'strict': expected one of default, reference"):
        drain(load("mnist", mnist_dir, "strict"))


def test_loading_reports_which_file_it_checks(mnist_dir: Path) -> None:
    events: list[object] = []
    drain(load("mnist", mnist_dir), events.append)
    assert Progress("checking train-images-idx3-ubyte", unit="B") in events


def test_the_stop_flag_ends_loading(mnist_dir: Path) -> None:
    with pytest.raises(StoppedError):
        drain(load("mnist", mnist_dir, stop=lambda: True))


def test_loading_a_data_set_needs_no_torch() -> None:
    code = "import sys, core.data.loading; sys.exit('torch' in sys.modules)"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True)
