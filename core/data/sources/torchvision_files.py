"""The files of a data set as torchvision's class names them: names, MD5 sums, addresses."""

from dataclasses import dataclass
from typing import Any

from core.system.blocking_calls import SourceError
from core.system.error_text import reason


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download: its name, its hexadecimal MD5 and where it is."""

    name: str
    md5: str
    addresses: tuple[str, ...]


def torchvision_class(name: str) -> Any:
    """A data set's class; raises SourceError if torchvision cannot be imported."""
    try:
        from torchvision import datasets
    except (ImportError, OSError, RuntimeError) as error:
        raise SourceError(f"torchvision cannot be imported ({reason(error)})") from error
    return getattr(datasets, name)


def remote_files(name: str) -> tuple[RemoteFile, ...]:
    """The files of a data set: training before test, images before labels.

    Raises:
        SourceError: torchvision cannot be imported.
    """
    source = torchvision_class(name)
    match vars(source):  # not what MNIST's descendants inherit
        case {"split_list": splits}:  # SVHN
            return tuple(
                RemoteFile(file, md5, (address,))
                for address, file, md5 in (splits["train"], splits["test"])
            )
        case {"url": address, "filename": file, "tgz_md5": md5}:  # CIFAR
            return (RemoteFile(file, md5, (address,)),)
        case {"url": address, "md5": md5}:  # EMNIST
            return (RemoteFile(address.rpartition("/")[2], md5, (address,)),)
    return tuple(
        RemoteFile(file, md5, tuple(f"{mirror}{file}" for mirror in source.mirrors))
        for file, md5 in source.resources
    )
