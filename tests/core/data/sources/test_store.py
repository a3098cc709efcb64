"""A data folder while fetches are killed, run at once or run out of space."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.loading import fetch
from core.data.registry import DATASETS
from core.errors import InputError, StoppedError
from core.events import Progress, drain

pytest_plugins = ("tests.core.data.sources.mirror",)

NAMES = set(DATASETS["mnist"].files)
WAITING = Progress("waiting for another download")


def child(*args: str | Path) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("fetch_process.py")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, args)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


pytestmark = pytest.mark.usefixtures("digits")


@pytest.fixture
def _mirrored(mirror: str, name_mirrors: Callable[..., None]) -> None:
    name_mirrors(mirror)


@pytest.mark.slow
@pytest.mark.usefixtures("_mirrored")
def test_a_killed_fetch_leaves_nothing_half_written(
    tmp_path: Path, digits: Path, mirror: str
) -> None:
    with child(digits, mirror, tmp_path, "half") as process:
        assert process.stdout
        assert process.stdout.readline() == "half\n"
        process.kill()
    (remnant,) = left_in(tmp_path)
    assert remnant.startswith(".fetch-")
    folder = drain(fetch("mnist", tmp_path))
    assert {path.name for path in folder.iterdir()} == NAMES
    assert left_in(tmp_path) == {"MNIST"}


def test_two_processes_fetch_at_once(tmp_path: Path, digits: Path, mirror: str) -> None:
    processes = [child(digits, mirror, tmp_path) for _ in range(2)]
    output = [process.communicate()[0] for process in processes]
    assert output == [f"{tmp_path / 'MNIST' / 'raw'}\n"] * 2
    assert left_in(tmp_path) == {"MNIST"}


@pytest.mark.usefixtures("_mirrored")
def test_a_second_fetch_waits_for_the_first_and_finds_its_files(
    tmp_path: Path, name_mirrors: Callable[..., None]
) -> None:
    first, second = fetch("mnist", tmp_path), fetch("mnist", tmp_path)
    next(first)
    assert next(second) == WAITING
    folder = drain(first)
    name_mirrors()
    assert drain(second) == folder


@pytest.mark.usefixtures("_mirrored")
def test_a_waiting_fetch_can_be_stopped(tmp_path: Path) -> None:
    first = fetch("mnist", tmp_path)
    next(first)
    with pytest.raises(StoppedError):
        drain(fetch("mnist", tmp_path, stop=lambda: True))
    first.close()
    assert left_in(tmp_path) == set()


def test_a_full_disk_is_reported_and_leaves_nothing(
    tmp_path: Path, digits: Path, mirror: str
) -> None:
    output = child(digits, mirror, tmp_path, "limited").communicate()[0]
    assert output.startswith(f"InputError: no space left in {tmp_path}: 2 MB needed, ")
    assert output.endswith(" MB free; free some space or use another --data-dir\n")
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_place_of_the_data_folder_is_reported(below: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    data_dir = file / below
    with pytest.raises(InputError, match=rf"{data_dir} .*--data-dir$"):
        drain(fetch("mnist", data_dir))


def test_a_folder_that_cannot_be_created_on_a_full_disk_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(InputError, match="no space left in"):
        drain(fetch("mnist", tmp_path / "absent"))
