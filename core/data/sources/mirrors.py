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
from core.data.sources.torchvision_files import torchvision_class
from core.events import StopFlag, Stream, portions
from core.system import blocking_calls
from core.system.blocking_calls import CallProgress, SourceError, run_in_thread
from core.system.error_text import reason

_CHUNK = 1 << 16


def addresses(name: str) -> list[str]:
    """The URLs of a data set's mirrors, with a trailing slash.

    Raises:
        SourceError: torchvision cannot be imported.
    """
    return list(torchvision_class(name).mirrors)


def download(description: Description, mirror: str, stop: StopFlag) -> Stream[Files]:
    """Download a data set's files, gzipped on the mirror.

    Raises:
        SourceError: the mirror does not respond, or not with these files.
        StoppedError: the stop flag is raised.
    """
    files: Files = {}
    parts = portions(*(file.size for file in description.files.values()))
    for (name, file), portion in zip(description.files.items(), parts, strict=True):
        yield portion
        call = partial(_download, f"{mirror}{name}.gz", file)
        files[name] = yield from run_in_thread(
            call, f"fetching {name}", stop, blocking_calls.TIMEOUT
        )
    return files


def _download(url: str, file: File, progress: CallProgress) -> bytes:
    try:
        with gzip.open(io.BytesIO(_read(url, file, progress))) as unpacked:
            return unpacked.read(file.size + 1)  # one more byte reveals a longer file
    except (OSError, HTTPException, EOFError, zlib.error) as error:
        raise SourceError(reason(error)) from error


def _read(url: str, file: File, progress: CallProgress) -> bytes:
    content = bytearray()
    with urlopen(url, timeout=blocking_calls.TIMEOUT) as response:
        total = response.length or 0
        while chunk := response.read1(_CHUNK):
            content += chunk
            progress.update(len(content), total)
            if len(content) > file.size:
                raise SourceError(f"sent more than {file.size:,} bytes")
    return bytes(content)
