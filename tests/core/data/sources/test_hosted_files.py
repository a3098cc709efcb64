"""Data sets whose files only torchvision knows: fetched, verified, continued, and read."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.data.batches import Splits
from core.data.inputs import Inputs
from core.data.loading import fetch, load
from core.data.registry import DATASETS
from core.data.sources import download, store
from core.data.sources.torchvision_files import remote_files
from core.data.splits import validation_indices
from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Notice, Progress, drain
from core.system import blocking_calls
from tests.core.data.sources.hosted import NAMES, TRAIN, Small, small, tar_gz
from tests.core.data.sources.servers import Unreliable, unreliable
from tui.cli.main import main

ARCHIVE = "cifar-10-python.tar.gz"


@pytest.fixture
def cifar(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Small, Unreliable]]:
    """A small CIFAR-10 on a server."""
    data = small("cifar10")
    with unreliable(dict(data.files)) as server:
        data.put_in_place(monkeypatch, server.address)
        yield data, server


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_CHUNK", 4_096)
    monkeypatch.setattr(blocking_calls, "TICK", 0.001)


def fetched(data_dir: Path | None) -> tuple[Path, list[Event]]:
    events: list[Event] = []
    return drain(fetch("cifar10", data_dir), events.append), events


def warnings(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice) and event.warning]


def part(data_dir: Path) -> Path:
    return data_dir / ".partial" / ARCHIVE


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_fetched_once_split_and_read_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, known = small(name), DATASETS[name]
    with unreliable(dict(data.files)) as server:
        data.put_in_place(monkeypatch, server.address)
        dataset = drain(load(name, tmp_path))
    chosen = validation_indices(data.train.labels)
    rest = np.setdiff1d(np.arange(TRAIN), chosen)
    for split, images, labels in (
        (dataset.train, data.train.images[rest], data.train.labels[rest]),
        (dataset.validation, data.train.images[chosen], data.train.labels[chosen]),
        (dataset.test, data.test.images, data.test.labels),
    ):
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        np.testing.assert_array_equal(split.images, images)
        np.testing.assert_array_equal(split.labels, labels)
    assert (dataset.name, dataset.classes, dataset.fingerprint) == (name, known.classes, "")
    assert (dataset.mean, dataset.std) == (known.mean, known.std)
    assert left_in(tmp_path) == {known.folder}
    again = drain(load(name, tmp_path, "reference"))  # the server is gone
    np.testing.assert_array_equal(again.train.images, data.train.images)
    assert again.validation is again.test
    pixels, _ = Splits.of(again).train.batch(slice(0, 3))
    scale = [np.reshape(each, (-1, 1, 1)) for each in (known.mean, known.std)]
    expected = (data.train.images[:3] / 255 - scale[0]) / scale[1]
    np.testing.assert_allclose(pixels.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_torchvision_names_the_files_of_every_data_set(name: str) -> None:
    files = remote_files(DATASETS[name].folder)
    assert [file.name for file in files] == list(small(name).files)
    assert all(len(file.md5) == 32 for file in files)
    assert all(url.startswith("http") for file in files for url in file.addresses)
    assert DATASETS[name].download > 10**7


def test_without_torchvision_the_error_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(WorkError, match="cifar10: torchvision cannot be imported"):
        fetched(tmp_path)


@pytest.mark.parametrize("place", [".", "raw", "CIFAR10/raw"])
def test_what_torchvision_downloaded_is_used(
    place: str, tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    data, server = cifar
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / ARCHIVE).write_bytes(data.files[ARCHIVE])
    assert fetched(tmp_path)[0] == tmp_path / place
    assert server.asked == []


@pytest.mark.usefixtures("in_small_pieces")
def test_bytes_are_reported_and_verified(tmp_path: Path, cifar: tuple[Small, Unreliable]) -> None:
    size = len(cifar[0].files[ARCHIVE])
    _, events = fetched(tmp_path)
    progress = [event for event in events if isinstance(event, Progress) and event.done]
    assert {event.step for event in progress} >= {f"checking {ARCHIVE}"}
    assert all(0 < event.done <= event.total == size for event in progress)


def test_a_broken_connection_is_continued(tmp_path: Path, cifar: tuple[Small, Unreliable]) -> None:
    data, server = cifar
    server.breaks = [100_000, 50_000]
    folder, events = fetched(tmp_path)
    assert (folder / ARCHIVE).read_bytes() == data.files[ARCHIVE]
    assert server.asked == ["", "bytes=100000-", "bytes=150000-"]
    assert warnings(events) == []
    assert left_in(tmp_path) == {"CIFAR10"}


def test_a_connection_that_keeps_breaking_ends_in_an_error_and_is_continued_next_time(
    tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    data, server = cifar
    server.breaks = [400_000, 1_000, 1_000]
    with pytest.raises(WorkError) as caught:
        fetched(tmp_path)
    message = str(caught.value)
    assert "ended after 402,000 of" in message
    assert f"0.4 MB of {ARCHIVE} are kept: fetch it again to continue" in message
    assert message.endswith(f"or put {ARCHIVE} into {tmp_path / 'CIFAR10' / 'raw'}")
    assert left_in(tmp_path) == {".partial"}
    folder, _ = fetched(tmp_path)
    assert server.asked[-1] == "bytes=402000-"
    assert (folder / ARCHIVE).read_bytes() == data.files[ARCHIVE]


@pytest.mark.usefixtures("in_small_pieces")
def test_a_stopped_download_is_continued_next_time(
    tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    data, server = cifar
    with pytest.raises(StoppedError, match=r"stopped; .* are kept: fetch it again to continue"):
        drain(fetch("cifar10", tmp_path, stop=lambda: part(tmp_path).exists() and size(tmp_path)))
    folder, _ = fetched(tmp_path)
    assert server.asked[-1].startswith("bytes=")
    assert (folder / ARCHIVE).read_bytes() == data.files[ARCHIVE]


def size(data_dir: Path) -> bool:
    return part(data_dir).stat().st_size > 0


def test_a_server_that_cannot_continue_sends_the_whole_file(
    tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    data, server = cifar
    server.breaks, server.ranges = [100_000], False
    folder, _ = fetched(tmp_path)
    assert (folder / ARCHIVE).read_bytes() == data.files[ARCHIVE]


@pytest.mark.parametrize("length", [1_000, 10**7])
def test_the_beginning_of_another_file_is_thrown_away(
    length: int, tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    data, _ = cifar
    part(tmp_path).parent.mkdir()
    part(tmp_path).write_bytes(bytes(length))
    folder, _ = fetched(tmp_path)
    assert (folder / ARCHIVE).read_bytes() == data.files[ARCHIVE]


def test_a_wrong_file_on_the_server_is_reported_and_not_kept(
    tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    cifar[1].files[ARCHIVE] = b"<html>log in first</html>"
    with pytest.raises(WorkError, match=rf"127.0.0.1:\d+: {ARCHIVE} has MD5 .*, expected"):
        fetched(tmp_path)
    assert left_in(tmp_path) == set()


def test_a_missing_file_is_reported(tmp_path: Path, cifar: tuple[Small, Unreliable]) -> None:
    cifar[1].files.clear()
    with pytest.raises(WorkError, match=r"could not download cifar10: 127.*: .*Not Found"):
        fetched(tmp_path)
    assert left_in(tmp_path) == set()


def test_a_full_disk_is_reported_and_leaves_nothing(
    tmp_path: Path, cifar: tuple[Small, Unreliable], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=f"no space left in {tmp_path}: 170 MB needed, 0 MB free"):
        fetched(tmp_path)
    assert left_in(tmp_path) == set()


def test_a_wrong_file_in_a_users_folder_is_an_error(
    tmp_path: Path, cifar: tuple[Small, Unreliable]
) -> None:
    (tmp_path / ARCHIVE).write_bytes(b"other")
    with pytest.raises(InputError, match=rf"{ARCHIVE} has MD5 .*; delete it or use another"):
        fetched(tmp_path)
    assert cifar[1].asked == []


def test_a_wrong_file_in_our_own_cache_is_downloaded_again(
    tmp_path: Path, cifar: tuple[Small, Unreliable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "default_data_dir", lambda: tmp_path)
    folder, _ = fetched(None)
    (folder / ARCHIVE).write_bytes(b"other")
    again, events = fetched(None)
    assert (again / ARCHIVE).read_bytes() == cifar[0].files[ARCHIVE]
    (warning,) = warnings(events)
    assert warning.endswith("downloading it again")


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"data_batch_1": b"no pickle"},
        {"data_batch_1": pickle.dumps({"data": np.zeros((1, 3072), np.uint8)})},
        {"data_batch_1": "malicious"},
    ],
    ids=["empty", "other", "unlabeled", "malicious"],
)
def test_an_archive_that_is_not_cifar_runs_nothing(
    members: dict[str, bytes | str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    contents = {
        name: pickle.dumps(Malicious(made)) if data == "malicious" else bytes(data)  # type: ignore[arg-type]
        for name, data in members.items()
    }
    data = Small("cifar10", *[small("cifar10").test] * 2, {ARCHIVE: tar_gz(contents)})
    data.put_in_place(monkeypatch, "http://127.0.0.1:9/")
    (tmp_path / ARCHIVE).write_bytes(data.files[ARCHIVE])
    with pytest.raises(InputError, match=rf"{ARCHIVE} is not cifar10 \(.*\): delete it and fetch"):
        drain(load("cifar10", tmp_path))
    assert not made.exists()


def test_color_images_can_be_made_gray(tmp_path: Path, cifar: tuple[Small, Unreliable]) -> None:
    inputs = Inputs(channels=1, image_size=28)
    dataset = drain(load("cifar10", tmp_path, inputs=inputs))
    assert dataset.mean == pytest.approx(0.299 * 0.4914 + 0.587 * 0.4822 + 0.114 * 0.4465)
    data = Splits.of(drain(load("cifar10", tmp_path, inputs=Inputs(channels=1)))).test
    pixels, _ = data.batch(slice(0, 2))
    gray = np.tensordot(cifar[0].test.images[:2] / 255, (0.299, 0.587, 0.114), ([1], [0]))
    np.testing.assert_allclose(pixels[:, 0], (gray - data.mean) / data.std, atol=1e-5)


def test_the_command_fetches(
    tmp_path: Path, cifar: tuple[Small, Unreliable], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "fetch", "cifar10", "--data-dir", str(tmp_path)]) == 0
    assert "cifar10 is in" in capsys.readouterr().out.replace("\n", " ")
    assert (tmp_path / "CIFAR10" / "raw" / ARCHIVE).exists()
