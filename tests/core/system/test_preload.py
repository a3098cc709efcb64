"""Torch's libraries, preloaded in a process of their own; and what can go wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from core.errors import StoppedError
from core.events import Progress, drain
from core.system import preload

LINUX = sys.platform.startswith("linux")
"""Elsewhere, preloading does nothing."""

PRELOAD = """
import sys
from pathlib import Path
from core.events import drain
from core.system.preload import preload_torch
events = []
drain(preload_torch(), events.append)
assert "torch" not in sys.modules and "numpy" not in sys.modules
print(len(events) > 0)
maps = Path("/proc/self/maps")
print(maps.exists() and "libtorch_cpu" in maps.read_text())
import torch
print(float((torch.ones(2, 3) @ torch.ones(3, 2)).sum()))
"""


def preloaded(**environment: str) -> list[str]:
    """What a new process prints that preloads torch, then imports and uses it."""
    env = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD],
        env={**env, **environment},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this process had not imported torch."""
    monkeypatch.delitem(sys.modules, "torch")


@pytest.mark.slow
def test_the_libraries_are_loaded_before_torch_is_imported():
    assert preloaded() == [str(LINUX), str(LINUX), "12.0"]


@pytest.mark.slow
def test_with_a_library_path_the_order_is_left_to_torch(tmp_path: Path):
    assert preloaded(LD_LIBRARY_PATH=str(tmp_path)) == [str(LINUX), "False", "12.0"]


def test_nothing_is_done_if_torch_is_imported():
    assert list(preload.preload_torch()) == []


@pytest.mark.usefixtures("not_imported")
def test_nothing_is_done_without_torch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preload, "find_spec", lambda _: None)
    assert list(preload.preload_torch()) == []


@pytest.mark.usefixtures("not_imported")
def test_preloading_can_be_stopped(monkeypatch: pytest.MonkeyPatch):
    release, stopped = Event(), Event()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(preload, "_work", lambda _: release.wait(60))
    monkeypatch.setattr(preload, "_bytes_from_disk", lambda: 0)
    stream = preload.preload_torch(stopped.is_set)
    event = next(stream)
    assert isinstance(event, Progress)
    assert (event.step, event.unit, event.total) == ("loading torch", "B", 0)
    stopped.set()
    with pytest.raises(StoppedError, match="torch"):
        next(stream)
    release.set()


@pytest.mark.usefixtures("not_imported")
def test_errors_are_left_to_the_import(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(preload, "read", fail)
    drain(preload.preload_torch())


def test_files_are_read_whole_and_unreadable_ones_are_skipped(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.so").write_bytes(bytes(3_000_000))
    (tmp_path / "lib" / "b.so").write_bytes(b"b")
    (tmp_path / "lib" / "gone.so").symlink_to(tmp_path / "nowhere")
    (tmp_path / "lib" / "folder.so").mkdir()
    assert preload.read(tmp_path, ("lib/*.so", "nothing/*.so")) == 3_000_001


def test_other_files_are_not_linked(tmp_path: Path):
    (tmp_path / "text.so").write_text("no library")
    now = getattr(os, "RTLD_NOW", 2)
    assert not preload.link(tmp_path / "text.so", now)
    assert not preload.link(tmp_path / "missing.so", now)
