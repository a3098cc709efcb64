"""Links, special files and bombs among the images: nothing is read twice, nothing hangs."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from core.data.folders import image_folder, pixels
from core.data.folders.image_folder import Folder, read_folder
from core.data.folders.pixels import Shape, read_image
from core.data.loading import load
from core.data.splits import Dataset
from core.errors import InputError
from core.events import Event, Notice, drain
from tests.core.data.folders.drawn import fill
from tests.core.data.folders.test_image_folder import fill as touch

pytestmark = pytest.mark.usefixtures("empty_cache")


def listed(root: Path) -> tuple[Folder, list[str]]:
    """A folder, and its notices but those of splits that are held out."""
    notices: list[Event] = []
    folder = drain(read_folder(root), notices.append)
    texts = [notice.text for notice in notices if isinstance(notice, Notice)]
    return folder, [text for text in texts if "held out" not in text]


def labels(folder: Folder) -> dict[str, list[int]]:
    """The labels of every real file, by its path below the data set."""
    found: dict[str, list[int]] = {}
    for path, label in folder.samples:
        found.setdefault(str(path.resolve()), []).append(label)
    return found


def loaded(root: Path) -> tuple[Dataset, list[str]]:
    events: list[Event] = []
    dataset = drain(load(f"folder:{root}"), events.append)
    return dataset, [event.text for event in events if isinstance(event, Notice)]


@pytest.mark.parametrize("target", ["..", "../..", ".", "/"])
def test_a_link_that_leads_back_is_named_and_not_followed(tmp_path: Path, target: str) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    before, _ = listed(root)
    (root / "cat" / "loop").symlink_to(target)
    folder, notices = listed(root)
    assert folder == before
    assert len(notices) == 1
    assert notices[0].endswith("contain them: cat/loop")


def test_two_links_that_lead_to_each_other_end(tmp_path: Path) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    (root / "cat" / "a.png").symlink_to("b.png")
    (root / "cat" / "b.png").symlink_to("a.png")
    folder, _ = listed(root)
    assert len(folder.samples) == 26, "they count as images that cannot be read"


def test_a_link_to_another_class_or_split_is_not_followed(tmp_path: Path) -> None:
    for split, count in (("train", 12), ("val", 2), ("test", 2)):
        touch(tmp_path / split, cat=count, dog=count)
    before, _ = listed(tmp_path)
    (tmp_path / "train" / "cat" / "more").symlink_to(tmp_path / "test" / "dog")
    (tmp_path / "train" / "cat" / "all").symlink_to(tmp_path / "test")
    (tmp_path / "train" / "dog" / "a").symlink_to(tmp_path / "train" / "cat")
    folder, notices = listed(tmp_path)
    assert folder == before
    assert notices[0].endswith("train/cat/all, train/cat/more, train/dog/a")


def test_a_folder_elsewhere_is_read_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    more = touch(tmp_path / "more", deep=3).parent / "more"
    (more / "deep" / "up").symlink_to(more)
    root = touch(tmp_path / "pets", cat=12, dog=12)
    (root / "cat" / "one").symlink_to(more)
    (root / "cat" / "two").symlink_to(more / "deep")
    (root / "dog" / "three").symlink_to(more)
    folder, notices = listed(root)
    found = labels(folder)
    assert len(found) == 27
    assert all(len(of_file) == 1 for of_file in found.values())
    assert found[str(more / "deep" / "00.png")] == [0]
    refused, followed = notices
    assert followed == "followed links to folders: cat/one"
    assert refused.endswith(": cat/two, dog/three, cat/one/deep/up")


def test_classes_and_splits_may_be_links(tmp_path: Path) -> None:
    pool = touch(tmp_path / "pool", cats=12, dogs=12)
    root = tmp_path / "pets"
    (root / "data").mkdir(parents=True)
    (root / "data" / "cat").symlink_to(pool / "cats")
    (root / "data" / "dog").symlink_to(pool / "dogs")
    (root / "train").symlink_to("data")
    folder, notices = listed(root)
    assert (folder.classes, len(folder.samples), notices) == (("cat", "dog"), 24, [])


def test_a_class_below_another_keeps_its_images(tmp_path: Path) -> None:
    pool = touch(tmp_path / "pool", cats=12)
    touch(tmp_path, pool=12)
    root = tmp_path / "pets"
    root.mkdir()
    (root / "animal").symlink_to(pool)
    (root / "cat").symlink_to(pool / "cats")
    folder, notices = listed(root)
    assert sorted(label for _, label in folder.samples) == [0] * 12 + [1] * 12
    assert notices[0].endswith("animal/cats")


def test_two_classes_that_are_one_folder_are_refused(tmp_path: Path) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    (root / "ape").symlink_to("cat")
    with pytest.raises(InputError, match="has no images of ape: add some or remove"):
        listed(root)


def test_two_splits_that_are_one_folder_are_said(tmp_path: Path) -> None:
    for split in ("train", "val"):
        touch(tmp_path / split, cat=12, dog=12)
    (tmp_path / "test").symlink_to("val")
    folder, notices = listed(tmp_path)
    assert folder.test == folder.validation
    assert notices == [f"{tmp_path}: test is the same folder as another split"]


def test_fifos_sockets_and_devices_are_skipped_and_named(tmp_path: Path) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    before, _ = listed(root)
    os.mkfifo(root / "cat" / "pipe.png")
    (root / "dog" / "null.png").symlink_to("/dev/null")
    (root / "dog" / "link.jpg").symlink_to(root / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(root / "dog" / "s.png"))
        folder, notices = listed(root)
    assert folder == before
    assert notices == [
        "skipped what is not a regular file: cat/pipe.png (FIFO), dog/link.jpg (FIFO), "
        "dog/null.png (device) and 1 more"
    ]


def test_a_folder_of_images_with_a_fifo_is_decoded(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 12)
    os.mkfifo(root / "cat" / "pipe.png")
    dataset, _ = loaded(root)
    assert len(dataset.train.labels) == 20


def test_a_folder_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    touch(root / "cat", secret=1)
    before = image_folder.ImageFiles._take

    def take(files: object, owner: Path, here: Path, entries: object) -> list[Path]:
        if here.name == "secret":  # file modes do not stop root
            raise PermissionError
        return before(files, owner, here, entries)  # type: ignore[arg-type]

    monkeypatch.setattr(image_folder.ImageFiles, "_take", take)
    folder, notices = listed(root)
    assert len(folder.samples) == 24
    assert notices == ["skipped folders that cannot be opened: cat/secret"]


silent = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
"""Pytest replaces the program's own filter."""


def bomb(path: Path, side: int) -> None:
    """A black image of one bit per pixel: a few kilobytes, whatever its side."""
    row = zlib.compressobj(9)
    rows = b"".join(row.compress(bytes(1 + -(-side // 8))) for _ in range(side)) + row.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


@silent
def test_decompression_bombs_are_named_and_left_out(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 14)
    bomb(root / "cat" / "000.png", 9_500)  # Pillow would warn
    bomb(root / "dog" / "bomb.png", 16_000)  # and refuse this one
    assert (root / "dog" / "bomb.png").stat().st_size < 100_000
    dataset, notices = loaded(root)
    assert dataset.train.images.shape[1:] == (1, 28, 28), "no bomb decides the size"
    assert (
        len(dataset.train.labels) + len(dataset.test.labels) + len(dataset.validation.labels) == 27
    )
    assert notices[-1] == (
        "skipped 2 images of more than 89 million pixels: cat/000.png, dog/bomb.png"
    )


@silent
def test_an_image_just_below_the_limit_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "MOST_PIXELS", 10_000)
    for side, fault in ((100, False), (101, True)):
        bomb(tmp_path / "large.png", side)
        assert (read_image(tmp_path / "large.png", Shape(1, 8, 8)) == "too large") == fault


def test_a_bomb_writes_nothing_to_the_terminal(tmp_path: Path) -> None:
    bomb(tmp_path / "bomb.png", 9_500)
    code = (
        "import sys; from pathlib import Path; from core.data.folders.pixels import *;"
        "print(read_image(Path(sys.argv[1]), Shape(1, 8, 8)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "bomb.png")], capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("too large\n", "")


def test_images_of_formats_that_are_not_read_are_counted_and_named(tmp_path: Path) -> None:
    root = touch(tmp_path / "pets", cat=12, dog=12)
    before, _ = listed(root)
    for name in ("cat/a.gif", "cat/b.GIF", "dog/c.avif", "dog/d.gif", "dog/notes.txt"):
        (root / name).touch()
    folder, notices = listed(root)
    assert folder == before
    assert notices == [
        "skipped 4 images of formats that are not read (.avif, .gif; convert them to .png): "
        "cat/a.gif, cat/b.GIF, dog/c.avif and 1 more"
    ]


def test_a_cache_that_cannot_be_written_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    root = fill(tmp_path / "pets", 12)
    with pytest.raises(InputError, match=r"cannot decode .*; set XDG_CACHE_HOME to a folder you"):
        loaded(root)
