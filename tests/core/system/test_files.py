"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, WriteError
from core.system.files import as_utf8, explain_write_error, write_text, write_whole


def test_text_is_written_as_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "it", "– ×\n")
    assert (tmp_path / "it").read_bytes() == "– ×\n".encode()


@given(st.binary())
def test_text_with_a_path_in_any_encoding_is_written(path: bytes) -> None:
    """Without a letter for a byte, Python reads it as a surrogate."""
    for encoding in ("utf-8", "ascii"):
        text = as_utf8(path.decode(encoding, "surrogateescape"))
        assert text == path.decode("utf-8", "replace")
        assert text.encode().decode() == text


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_text(tmp_path / "it", "")
    assert (tmp_path / "it").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_reader_finds_the_old_file_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_text("old")

    def write(part: Path) -> None:
        part.write_text("new")
        assert path.read_text() == "old"

    write_whole(path, write)
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failed_write_leaves_only_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "it"
    path.write_text("old")

    def write(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["it"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "it"
    with pytest.raises(InputError) as caught:
        write_text(path, "")
    assert f"cannot write {path}: the folder {path.parent} does not exist" in str(caught.value)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.mkdir()
    with pytest.raises(InputError, match=f"cannot write {path}"):
        write_text(path, "")
    assert os.listdir(tmp_path) == ["it"]


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "it"
    with pytest.raises(InputError, match=f"cannot write {path}"):
        write_text(path, "")


def test_a_links_target_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_full_device_is_not_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The `/dev` of a container may be a small disk of its own."""
    usage = SimpleNamespace(free=12_630_000_000)
    monkeypatch.setattr("core.system.files.shutil.disk_usage", lambda _: usage)
    with pytest.raises(WriteError) as caught:
        write_text(Path("/dev/full"), "more")
    assert str(caught.value) == "cannot write /dev/full: no space left"


@pytest.mark.parametrize(
    ("free", "said"), [(12_630, "no space left"), (0, "no space left (0 MB free); free some space")]
)
def test_a_full_disk_says_how_much_is_free_if_that_is_why(
    free: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free * 1_000_000)
    monkeypatch.setattr("core.system.files.shutil.disk_usage", lambda _: usage)
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert explain_write_error(error, tmp_path / "it") == f"cannot write {tmp_path / 'it'}: {said}"


def test_a_name_that_is_too_long_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_text(tmp_path / ("n" * 300), "")
