"""A source: the mirrors torchvision lists, downloaded without torchvision.

Its own downloader has no time limit, cannot be stopped, and leaves partial files behind.
"""

from __future__ import annotations

import gzip
import io
import zlib
from functools import partial
from http.client import HTTPException
from urllib.request import urlopen

from core.data.registry import Description, File, Files
from core.events import StopFlag, Stream
from core.system import background
from core.system.background import JobProgress, SourceError, run_in_thread
from core.system.error_text import reason

_CHUNK = 1 << 16


def find(description: Description, stop: StopFlag) -> Stream[list[str]]:
    """Ask torchvision for a data set's mirrors: addresses of folders, with a slash at the end.

    Raises:
        SourceError: torchvision cannot be imported.
    """

    def job(_: JobProgress) -> list[str]:
        return addresses(description.folder)

    return (yield from run_in_thread(job, "look up torchvision's mirrors", stop))


def addresses(name: str) -> list[str]:
    """Import torchvision and read the mirrors of one of its data sets.

    Raises:
        SourceError: torchvision cannot be imported.
    """
    try:
        from torchvision import datasets
    except (ImportError, OSError, RuntimeError) as error:
        raise SourceError(f"torchvision cannot be imported ({reason(error)})") from error
    return list(getattr(datasets, name).mirrors)


def download(description: Description, mirror: str, stop: StopFlag) -> Stream[Files]:
    """Download a data set's files, gzipped on the mirror.

    Raises:
        SourceError: the mirror does not respond, or not with these files.
        WorkError: the stop flag is raised.
    """
    files: Files = {}
    for name, file in description.files.items():
        job = partial(_download, f"{mirror}{name}.gz", file)
        files[name] = yield from run_in_thread(job, f"fetch {name}", stop, background.TIMEOUT)
    return files


def _download(url: str, file: File, pulse: JobProgress) -> bytes:
    try:
        with gzip.open(io.BytesIO(_read(url, file, pulse))) as unpacked:
            return unpacked.read(file.size + 1)  # one byte too many tells a wrong file
    except (OSError, HTTPException, EOFError, zlib.error) as error:
        raise SourceError(reason(error)) from error


def _read(url: str, file: File, pulse: JobProgress) -> bytes:
    content = bytearray()
    with urlopen(url, timeout=background.TIMEOUT) as response:
        total = response.length or 0
        while chunk := response.read1(_CHUNK):
            content += chunk
            pulse.beat(len(content), total)
            if len(content) > file.size:
                raise SourceError(f"sends more than {file.size:,} bytes")
    return bytes(content)
