"""A file is recognized by its content; what cannot be read is not opened."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.formats.recognition import TAKEN, check_weights_file, recognize
from core.nets.zoo import model_spec

STARTS = {
    b"\x89HDF\r\n\x1a\n" + bytes(99): "an HDF5 file, as Keras writes",
    b"\x93NUMPY\x01\x00": "a NumPy array",
    b"GGUF\x03\x00\x00\x00": "a GGUF file",
    b"\x1f\x8b\x08": "a gzip archive",
    b"version https://git-lfs.github.com/spec/v1\noid": "a pointer of Git LFS",
    b"\n<!DOCTYPE html><html>": "a web page",
    b"<html><head>": "a web page",
    b"PK\x03\x04 cut": "a damaged zip archive",
    b"epoch,loss\n1,0.5\n": "an unknown kind of file",
    b"\x08\x07\x12\x04cut": "an unknown kind of file",
    bytes(600): "an unknown kind of file",
}


@pytest.mark.parametrize("start", STARTS)
def test_a_file_of_another_kind_is_named(start: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "net.pt").write_bytes(start)
    assert recognize(path).name.startswith(STARTS[start])
    with pytest.raises(InputError, match=f"{path} is {STARTS[start]}"):
        check_weights_file(path)


def test_a_zip_archive_without_weights_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(path := tmp_path / "net.pt", "w") as archive:
        archive.writestr("a/notes.txt", "none")
    assert recognize(path).name == "a zip archive without weights"


def test_an_archive_of_a_version_to_come_is_called_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(path := tmp_path / "net.pt", "w") as archive:
        archive.writestr("a/data.pkl", "")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 6] = 64  # the version needed to read it, times ten
    path.write_bytes(data)
    assert recognize(path).name == "a damaged zip archive"


def test_an_ending_does_not_matter(tmp_path: Path) -> None:
    for content, kind in (
        (model_spec("cnn5").shipped_weights.read_bytes(), "a safetensors file"),
        (pickle.dumps({}), "a pickle"),
        (pickle.dumps({}, 2), "a pickle"),
        (b"\xf7FW\x01", "a compact file"),
    ):
        (path := tmp_path / "net.jpg").write_bytes(content)
        assert check_weights_file(path) == kind


@given(content=st.binary(min_size=1, max_size=600))
def test_any_content_is_recognized_as_something(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    kind = recognize(path)
    assert kind.name
    assert kind.remedy or kind.name in TAKEN


def test_what_is_no_file_or_empty_is_refused_unopened(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    for name, why in (
        (".", "it is a folder, expected a weights file"),
        ("empty", "it is empty, expected a weights file"),
        ("pipe", "it is a pipe, expected a weights file"),
        ("lost", "expected the path of a file"),
        ("none", "expected the path of a file"),
    ):
        with pytest.raises(InputError, match=why):
            recognize(tmp_path / name)
    with pytest.raises(InputError, match="it is a device"):
        recognize(Path(os.devnull))


AS_NOBODY = """
import os, sys
from pathlib import Path
from core.errors import InputError
from core.formats.recognition import recognize

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    recognize(Path(sys.argv[1]))
except InputError as error:
    print(error)
"""


def test_a_file_without_permission_is_refused() -> None:
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        (path := Path(folder) / "net.pt").write_bytes(b"weights")
        path.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, path],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == f"cannot read {path}: no permission; make it readable with chmod +r\n"
