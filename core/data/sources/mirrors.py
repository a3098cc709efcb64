"""A source: torchvision's mirrors, downloaded without torchvision.

Torchvision's downloader has no timeout, cannot be stopped, and leaves partial files behind.
"""

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
    """Look up a data set's mirrors: URLs of folders, with a trailing slash."""
    return (
        yield from run_in_thread(
            lambda _: addresses(description.folder), "look up torchvision's mirrors", stop
        )
    )


def addresses(name: str) -> list[str]:
    """Import torchvision and read a data set's mirrors; raises SourceError if it cannot."""
    try:
        from torchvision import datasets
    except (ImportError, OSError, RuntimeError) as error:
        raise SourceError(f"torchvision cannot be imported ({reason(error)})") from error
    return list(getattr(datasets, name).mirrors)


def download(description: Description, mirror: str, stop: StopFlag) -> Stream[Files]:
    """Download a data set's files, gzipped on the mirror.

    Raises:
        SourceError: the mirror does not respond, or not with these files.
        StoppedError: the stop flag is raised.
    """
    files: Files = {}
    for name, file in description.files.items():
        job = partial(_download, f"{mirror}{name}.gz", file)
        files[name] = yield from run_in_thread(job, f"fetch {name}", stop, background.TIMEOUT)
    return files


def _download(url: str, file: File, progress: JobProgress) -> bytes:
    try:
        with gzip.open(io.BytesIO(_read(url, file, progress))) as unpacked:
            return unpacked.read(file.size + 1)  # one more byte reveals a longer file
    except (OSError, HTTPException, EOFError, zlib.error) as error:
        raise SourceError(reason(error)) from error


def _read(url: str, file: File, progress: JobProgress) -> bytes:
    content = bytearray()
    with urlopen(url, timeout=background.TIMEOUT) as response:
        total = response.length or 0
        while chunk := response.read1(_CHUNK):
            content += chunk
            progress.update(len(content), total)
            if len(content) > file.size:
                raise SourceError(f"sends more than {file.size:,} bytes")
    return bytes(content)
