"""One file, downloaded whole or not at all; a download that ends early is continued next time."""

import errno
import os
import shutil
from functools import partial
from hashlib import md5
from http.client import HTTPException, HTTPResponse
from io import FileIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from core.data.sources.torchvision_files import RemoteFile
from core.errors import StoppedError
from core.events import Notice, Progress, StopFlag, Stream
from core.system import blocking_calls
from core.system.blocking_calls import CallProgress, SourceError, raise_if_stopped, run_in_thread
from core.system.error_text import reason
from core.system.files import NO_SPACE

_CHUNK, _BLOCK = 1 << 16, 1 << 24

_MOST = 1 << 30
"""Bytes that no file exceeds."""

_TRIES = 3
"""Connections to one address, if each brings the download further."""

_PARTIAL, _CANNOT_CONTINUE = 206, 416
"""Statuses of HTTP."""


def download(file: RemoteFile, target: Path, part: Path, stop: StopFlag) -> Stream[None]:
    """Download a file to `target`, by way of `part`, which holds what came of it so far.

    Raises:
        SourceError: no address has the file.
        StoppedError: the stop flag is raised.
        OSError: there is no space for the file.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    try:
        for address in file.addresses:
            try:
                yield from _from_address(file, address, part, stop)
            except SourceError as error:
                failures.append(f"{urlsplit(address).netloc}: {error}")
                yield Notice(failures[-1], warning=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, target)
            return
        raise SourceError(f"{'; '.join(failures)}{_kept(part, file)}")
    except StoppedError as error:
        raise StoppedError(f"{error}{_kept(part, file)}") from error
    except OSError:
        part.unlink(missing_ok=True)
        raise
    finally:
        if not _size(part):
            part.unlink(missing_ok=True)


def fault_of(path: Path, file: RemoteFile, stop: StopFlag) -> Stream[str | None]:
    """What is wrong with a file that should be this one; None if it is right.

    Raises:
        StoppedError: the stop flag is raised.
    """
    digest, done = md5(usedforsecurity=False), 0
    try:
        total = path.stat().st_size
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                raise_if_stopped(stop)
                digest.update(block)
                done += len(block)
                yield Progress(f"checking {file.name}", done, total, "B")
    except OSError as error:
        return f"cannot be read ({reason(error)})"
    if (found := digest.hexdigest()) == file.md5:
        return None
    return f"has MD5 {found[:8]}..., expected {file.md5[:8]}..."


def _from_address(file: RemoteFile, address: str, part: Path, stop: StopFlag) -> Stream[None]:
    """Download what is missing of `part` and verify it; raises SourceError."""
    continued = yield from _connect(file, address, part, stop)
    fault = yield from fault_of(part, file, stop)
    if fault and continued:  # the beginning may have been another file's
        part.unlink()
        yield from _connect(file, address, part, stop)
        fault = yield from fault_of(part, file, stop)
    if fault:
        part.unlink()
        raise SourceError(f"{file.name} {fault}")


def _connect(file: RemoteFile, address: str, part: Path, stop: StopFlag) -> Stream[bool]:
    """Fetch the rest of `part`, again if the connection breaks; whether there was a beginning."""
    before = _size(part)
    for tries_left in reversed(range(_TRIES)):
        here = _size(part)
        try:
            call = partial(_fetch, address, part)
            step = f"fetching {file.name}"
            yield from run_in_thread(call, step, stop, blocking_calls.TIMEOUT)
            break
        except SourceError:
            if not tries_left or _size(part) <= here:
                raise
    return before > 0


def _fetch(address: str, part: Path, progress: CallProgress) -> None:
    """Append to `part` what is missing; raises SourceError if it is still incomplete."""
    part.touch()
    # At their places, without a buffer: a call that was abandoned may write the same bytes again.
    with part.open("r+b", buffering=0) as stream:
        done = stream.seek(0, os.SEEK_END)
        request = Request(address, headers={"Range": f"bytes={done}-"} if done else {})
        try:
            with urlopen(request, timeout=blocking_calls.TIMEOUT) as response:
                if response.status != _PARTIAL:
                    done = stream.seek(0)
                    stream.truncate()
                _append(response, stream, done, progress)
        except (OSError, HTTPException) as error:
            if isinstance(error, HTTPError) and error.code == _CANNOT_CONTINUE:
                return  # nothing is missing, or it is another file
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise
            raise SourceError(reason(error)) from error


def _append(response: HTTPResponse, stream: FileIO, done: int, progress: CallProgress) -> None:
    """Write a response behind the `done` bytes of a file."""
    rest = response.length or 0
    if shutil.disk_usage(Path(stream.name).parent).free < rest:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    total = done + rest if rest else 0
    while chunk := response.read1(_CHUNK):
        done += len(chunk)
        progress.update(done, total)
        if done > _MOST:
            raise SourceError(f"sent more than {_MOST:,} bytes")
        stream.write(chunk)
    if done < total:
        raise SourceError(f"the connection ended after {done:,} of {total:,} bytes")


def _size(path: Path) -> int:
    """The bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def _kept(part: Path, file: RemoteFile) -> str:
    """What is left of a download, for a message."""
    if not (size := _size(part)):
        return ""
    return f"; {size / 1e6:.1f} MB of {file.name} are kept: fetch it again to continue"
