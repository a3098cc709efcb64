"""Fashion-MNIST: from Debian's package where it is installed, and what is said where it is not."""

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

pytest_plugins = ("tests.core.data.mirror",)

FASHION = DATASETS["fashion-mnist"]
DEBIAN = FASHION.debian.folder if FASHION.debian else Path()

real = pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist")

MODIFIED = {"train": 1_504_176_606, "t10k": 1_504_176_627}
"""When Zalando made the files that it zipped, in seconds since 1970: it is in their headers."""

NameMirrors = Callable[..., None]


@pytest.mark.slow
@real
def test_it_comes_from_debians_package_into_the_cache(
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
def test_its_files_have_torchvisions_own_md5_sums() -> None:
    """Debian zips without name and time; with those in the header, each file is torchvision's."""
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
    """A data set of MNIST's files that nothing gives but a package of Debian's."""
    name_mirrors()
    folder = tmp_path / "installed"
    folder.mkdir()
    for path in mirror_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    packaged = replace(DATASETS["mnist"], package=None, debian=Debian("dataset-some", folder))
    monkeypatch.setitem(DATASETS, "mnist", packaged)
    return folder


def test_what_is_installed_is_taken_before_any_mirror_is_asked(
    installed: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    folder = drain(fetch("mnist", tmp_path / "data"), events.append)
    assert {path.name for path in folder.iterdir()} == set(DATASETS["mnist"].files)
    assert not [event for event in events if isinstance(event, Notice)]
    assert (installed / f"{TRAIN_LABELS}.gz").exists()


def test_a_damaged_package_is_told_and_left(installed: Path, tmp_path: Path) -> None:
    path = installed / f"{TRAIN_LABELS}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    events: list[Event] = []
    expected = r"could not download mnist: .*install Debian's dataset-some, or put train-images"
    with pytest.raises(WorkError, match=expected):
        drain(fetch("mnist", tmp_path / "data"), events.append)
    told = [event.text for event in events if isinstance(event, Notice)]
    assert told[0].startswith(f"dataset-some: {path} cannot be read")
    assert path.exists()


def test_where_it_is_not_installed_that_is_said(
    tmp_path: Path, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirrors()
    nowhere = replace(FASHION, debian=Debian("dataset-fashion-mnist", tmp_path / "nowhere"))
    monkeypatch.setitem(DATASETS, "fashion-mnist", nowhere)
    with pytest.raises(WorkError, match="internet, install Debian's dataset-fashion-mnist"):
        drain(fetch("fashion-mnist", tmp_path / "data"))
