"""Where output goes is tried before any work, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from core.errors import InputError, WriteError
from core.system.files import check_writable, check_writable_folder, write_text


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        check_writable(path)
    text = str(caught.value)
    assert text.startswith(f"cannot write {path}: ")
    return text.removeprefix(f"cannot write {path}: ")


def test_a_place_that_can_be_written_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    for name in ("old", "new"):
        check_writable(tmp_path / name)
    check_writable_folder(tmp_path, "--experiment")
    check_writable_folder(tmp_path / "a" / "b", "--experiment")
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "old"


def test_each_reason_has_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone" / "file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert refused(tmp_path).startswith("it is a folder")
        assert refused(tmp_path / "socket").startswith("it is a socket")
    assert refused(tmp_path / "none" / "x") == f"the folder {tmp_path / 'none'} does not exist"
    assert refused(tmp_path / "file" / "x") == f"the folder {tmp_path / 'file'} is not a folder"
    assert refused(tmp_path / "dangling") == f"the folder {tmp_path / 'gone'} does not exist"
    with pytest.raises(InputError, match="loop cannot be used"):
        check_writable(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be used: File name too long"):
        check_writable(tmp_path / ("n" * 300))


def test_a_folder_that_takes_no_files_is_found_out_whoever_asks() -> None:
    why = "no file can be created in /proc; choose a writable place"
    assert refused(Path("/proc/x.json")) == why
    with pytest.raises(InputError, match=f"--experiment /proc/mine: {why}"):
        check_writable_folder(Path("/proc/mine"), "--experiment")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "no permission to write in"),
        (errno.EROFS, "read-only file system"),
        (errno.ENOSPC, "no space left"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_disk_that_refuses_is_quoted_before_the_work_and_during_it(
    number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Path, *_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", fails)
    monkeypatch.setattr(Path, "write_text", fails)
    assert said in refused(tmp_path / "x")
    with pytest.raises(InputError, match=said):
        check_writable_folder(tmp_path, "--experiment")
    with pytest.raises(WriteError, match=said):
        write_text(tmp_path / "x", "")
    assert os.listdir(tmp_path) == []


def test_terminals_and_pipes_are_taken() -> None:
    check_writable(Path(os.devnull))
    read, write = os.pipe()
    check_writable(Path(f"/dev/fd/{write}"))
    write_text(Path(f"/dev/fd/{write}"), "through")
    assert os.read(read, 10) == b"through"
    os.close(read)
    os.close(write)
