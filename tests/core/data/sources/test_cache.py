"""What a data folder may hold, and what happens if one of its files is wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.data.formats import idx
from core.data.loading import fetch
from core.data.registry import DATASETS, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from core.data.sources import mirrors, store
from core.errors import InputError
from core.events import Notice, drain

pytest_plugins = ("tests.core.data.sources.mirror",)

NAMES = tuple(DATASETS["mnist"].files)


@pytest.fixture
def raw(digits: Path, tmp_path: Path) -> Path:
    """MNIST's files in torchvision's layout below `tmp_path`, as links to the real ones."""
    return linked(digits, tmp_path / "MNIST" / "raw")


@pytest.fixture(autouse=True)
def _no_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be downloaded unless a test names a mirror."""

    def refuse(name: str) -> list[str]:
        raise AssertionError("a mirror was looked up")

    monkeypatch.setattr(mirrors, "addresses", refuse)


def linked(digits: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / name).symlink_to(digits / "MNIST" / "raw" / name)
    return folder


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    rewrite(path, bytes(data))


def truncate(path: Path) -> None:
    rewrite(path, path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    rewrite(path, path.read_bytes() + b"\0")


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def identity(path: Path) -> tuple[int, ...]:
    """Changes if a file is written or replaced, but not if it is read."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns


def rewrite(path: Path, data: bytes) -> None:
    path.unlink()  # a link to the real file, which stays as it is
    path.write_bytes(data)


@pytest.mark.parametrize("place", ["MNIST/raw", ".", "raw"])
def test_files_are_found_in_every_layout_of_a_data_folder(
    place: str, digits: Path, tmp_path: Path
) -> None:
    folder = linked(digits, tmp_path / place)
    assert drain(fetch("mnist", tmp_path)) == folder


def test_gzipped_files_are_found(raw: Path, tmp_path: Path) -> None:
    for name in NAMES:
        packed = gzip.compress((raw / name).read_bytes(), compresslevel=1)
        (raw / name).unlink()
        (raw / f"{name}.gz").write_bytes(packed)
    assert drain(fetch("mnist", tmp_path)) == raw


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (corrupt, "has SHA-256"),
        (truncate, "has fewer bytes"),
        (lengthen, "has more bytes"),
        (make_a_folder, r"cannot be read \(Is a directory\)"),
    ],
)
def test_a_wrong_file_in_a_users_folder_is_an_error(
    damage: Callable[[Path], None], what: str, raw: Path, tmp_path: Path
) -> None:
    damage(raw / TRAIN_LABELS)
    before = identity(raw / TRAIN_LABELS)
    with pytest.raises(InputError, match=what) as caught:
        drain(fetch("mnist", tmp_path))
    message = str(caught.value)
    assert message.startswith(f"{raw / TRAIN_LABELS} ")
    assert message.endswith("; delete it or use another --data-dir")
    assert "\n" not in message
    assert identity(raw / TRAIN_LABELS) == before


def test_a_wrong_gzipped_file_is_an_error(raw: Path, tmp_path: Path) -> None:
    packed = gzip.compress((raw / TEST_LABELS).read_bytes())
    (raw / TEST_LABELS).unlink()
    (raw / f"{TEST_LABELS}.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match=r"t10k-labels-idx1-ubyte\.gz cannot be read"):
        drain(fetch("mnist", tmp_path))


def test_a_wrong_file_in_our_own_cache_is_downloaded_again(
    raw: Path,
    tmp_path: Path,
    mirror: str,
    name_mirrors: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corrupt(raw / TRAIN_LABELS)
    monkeypatch.setattr(store, "default_data_dir", lambda: tmp_path)
    name_mirrors(mirror)
    events: list[object] = []
    assert drain(fetch("mnist"), events.append) == raw
    notices = [event for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert notices[0].warning
    assert notices[0].text.startswith(f"{raw / TRAIN_LABELS} has SHA-256")
    assert DATASETS["mnist"].files[TRAIN_LABELS].fault((raw / TRAIN_LABELS).read_bytes()) is None


def test_only_missing_files_are_added_to_a_users_folder(
    raw: Path, tmp_path: Path, mirror: str, name_mirrors: Callable[..., None]
) -> None:
    (raw / TRAIN_LABELS).unlink()
    name_mirrors(mirror)
    assert drain(fetch("mnist", tmp_path)) == raw
    assert (raw / TRAIN_IMAGES).is_symlink()
    assert not (raw / TRAIN_LABELS).is_symlink()


def test_idx_keeps_shape_and_values() -> None:
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(idx.decode(bytearray(idx.encode(values))), values)
