"""Images that one machine lacks and another one sends."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.data.folders import sent_folder
from core.data.loading import load
from core.data.registry import TEST_LABELS
from core.data.sending import ImagesPlace, find_images, images_key, keep_images, read_images
from core.data.sources.store import default_data_dir
from core.errors import InputError
from core.events import drain
from tests.core.data.folders.drawn import fill


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home of another machine, where `folder:~/pets` is not this machine's."""
    home = tmp_path / "other"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("HOME", str(home))
    home.mkdir()
    return home


def test_the_files_of_a_data_set_are_kept_once_and_verified(digits: Path, other: Path) -> None:
    assert drain(find_images("mnist", digits, "")) == ImagesPlace("mnist", digits)
    gone = other / "gone"
    assert drain(find_images("mnist", gone, "")) is None
    sent = drain(read_images("mnist", digits))
    place = drain(keep_images("mnist", "", lambda: sent))
    assert place == drain(find_images("mnist", gone, "")) == ImagesPlace("mnist", None)
    drain(keep_images("mnist", "", pytest.fail))

    wrong = default_data_dir() / "MNIST" / "raw" / TEST_LABELS
    wrong.write_bytes(b"another checksum")
    assert drain(find_images("mnist", None, "")) is None
    drain(keep_images("mnist", "", lambda: sent))
    assert wrong.read_bytes() == (digits / "MNIST" / "raw" / TEST_LABELS).read_bytes()


def test_a_folder_arrives_as_it_was(other: Path, tmp_path: Path) -> None:
    here = f"folder:{fill(tmp_path / 'pets', 12)}"
    key, sent = drain(images_key(here)), drain(read_images(here, None))
    assert drain(find_images(here, None, key)) == ImagesPlace(here, None)
    there = "folder:~/pets"
    assert drain(find_images(there, None, key)) is None
    place = drain(keep_images(there, key, lambda: sent))
    assert place == drain(find_images(there, None, key))
    assert Path(place.dataset.removeprefix("folder:")).is_relative_to(other / "cache")
    first, second = (drain(load(name)) for name in (here, place.dataset))
    assert first.fingerprint == second.fingerprint
    assert (first.test.images == second.test.images).all()

    fill(other / "pets", 13)
    assert drain(find_images(there, None, key)) == place, "another folder at the same path"
    shutil.rmtree(other / "pets")
    shutil.copytree(tmp_path / "pets", other / "pets")
    assert drain(find_images(there, None, key)) == ImagesPlace(there, None)


def test_a_folder_that_cannot_be_sent_is_refused(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fill(tmp_path / "pets" / "train", 12).parent
    (root / "test").symlink_to("train")
    here = f"folder:{root}"
    key, sent = drain(images_key(here)), drain(read_images(here, None))
    with pytest.raises(InputError, match=r"perhaps because of links .* put it on every machine"):
        drain(keep_images("folder:~/pets", key, lambda: sent))
    monkeypatch.setattr(sent_folder, "LIMIT", 1000)
    with pytest.raises(InputError, match=r"KiB, and at most 1000 B are sent .* same path"):
        drain(read_images(here, None))
