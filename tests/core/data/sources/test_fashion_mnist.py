"""Fashion-MNIST from Debian's package, if it is installed."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.data.loading import fetch, load
from core.data.registry import DATASETS, TRAIN_LABELS, Debian
from core.data.sources.cache import raw_folder
from core.errors import WorkError
from core.events import Event, Notice, drain

pytest_plugins = ("tests.core.data.sources.mirror",)

FASHION = DATASETS["fashion-mnist"]
DEBIAN = FASHION.debian.folder if FASHION.debian else Path()

real = pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist")

MODIFIED = {"train": 1_504_176_606, "t10k": 1_504_176_627}
"""Modification times in the headers of Zalando's gzipped files, in seconds since 1970."""

NameMirrors = Callable[..., None]


@pytest.mark.slow
@real
def test_fashion_mnist_comes_from_debians_package_into_the_cache(
    tmp_path: Path, name_mirrors: NameMirrors
) -> None:
    name_mirrors()
    dataset = drain(load("fashion-mnist", tmp_path))
    assert [len(s.labels) for s in (dataset.train, dataset.validation, dataset.test)] == [
        55_000, 5_000, 10_000,
    ]  # fmt: skip
    assert [int((dataset.test.labels == which).sum()) for which in range(10)] == [1_000] * 10
    pixels = drain(load("fashion-mnist", tmp_path, "reference")).train.images / 255
    assert (round(pixels.mean(), 4), round(pixels.std(), 4)) == (FASHION.mean, FASHION.std)
    assert {path.name for path in raw_folder(FASHION, tmp_path).iterdir()} == set(FASHION.files)


@pytest.mark.slow
@real
def test_the_files_of_fashion_mnist_have_torchvisions_md5_sums() -> None:
    """Debian gzips without name and time; with both in the header, the files are torchvision's."""
    from torchvision.datasets import FashionMNIST

    for file, md5 in FashionMNIST.resources:
        name = file.removesuffix(".gz")
        zipped = (DEBIAN / file).read_bytes()
        time = struct.pack("<I", MODIFIED[name.split("-")[0]])
        header = b"\x1f\x8b\x08\x08" + time + b"\x00\x03" + name.encode() + b"\x00"
        assert hashlib.md5(header + zipped[10:]).hexdigest() == md5
        assert FASHION.files[name].fault(gzip.decompress(zipped)) is None


@pytest.fixture
def installed(
    digits: Path,
    tmp_path: Path,
    mirror_folder: Path,
    name_mirrors: NameMirrors,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A data set with MNIST's files whose only source is a Debian package."""
    name_mirrors()
    folder = tmp_path / "installed"
    folder.mkdir()
    for path in mirror_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    packaged = replace(DATASETS["mnist"], package=None, debian=Debian("dataset-some", folder))
    monkeypatch.setitem(DATASETS, "mnist", packaged)
    return folder


def test_an_installed_package_is_used_before_any_mirror(installed: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    folder = drain(fetch("mnist", tmp_path / "data"), events.append)
    assert {path.name for path in folder.iterdir()} == set(DATASETS["mnist"].files)
    assert not [event for event in events if isinstance(event, Notice)]
    assert (installed / f"{TRAIN_LABELS}.gz").exists()


def test_a_damaged_package_is_reported_and_left_alone(installed: Path, tmp_path: Path) -> None:
    path = installed / f"{TRAIN_LABELS}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    events: list[Event] = []
    expected = r"could not download mnist: .*install Debian's dataset-some, or put train-images"
    with pytest.raises(WorkError, match=expected):
        drain(fetch("mnist", tmp_path / "data"), events.append)
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert notices[0].startswith(f"dataset-some: {path} cannot be read")
    assert path.exists()


def test_a_missing_package_is_named(
    tmp_path: Path, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirrors()
    nowhere = replace(FASHION, debian=Debian("dataset-fashion-mnist", tmp_path / "nowhere"))
    monkeypatch.setitem(DATASETS, "fashion-mnist", nowhere)
    with pytest.raises(WorkError, match="internet, install Debian's dataset-fashion-mnist"):
        drain(fetch("fashion-mnist", tmp_path / "data"))
