"""The image files below the folders of the classes: regular files, each real folder once.

A link to a folder is followed unless it leads to a folder that is read anyway, or that contains the
link or the data set: its images would be read twice, under another class.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.events import Notice

_NAMED = 3
"""How many paths a notice names individually."""

_NOT_READ = (
    ".avif", ".dng", ".eps", ".exr", ".gif", ".heic", ".heif", ".ico", ".jfif", ".jp2", ".jpe",
    ".jxl", ".pbm", ".pcx", ".pnm", ".psd", ".svg", ".tga",
)  # fmt: skip
"""How the names of images end that are in formats no data set here is read from."""

Identity = tuple[int, int]
"""Device and inode: the same for every path of a folder."""

_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class ImageFiles:
    """The image files of the class folders of a data set.

    Args:
        root: names are relative to it.
        above: the folders that hold the class folders; no link into one of them, or into what
            contains them, is followed.
        classes: the class folders of all splits.
        extensions: how the names of images end, in lower case.
    """

    def __init__(
        self, root: Path, above: Iterable[Path], classes: Iterable[Path], extensions: Iterable[str]
    ) -> None:
        self._root = root
        self._extensions = tuple(extensions)
        self._seen = {identity(folder) for path in (root, *above) for folder in _up(path)}
        self._files: dict[Path, dict[Path, list[str]]] = {}
        self._links: list[tuple[Path, Path]] = []
        self._followed: list[str] = []
        self._refused: list[str] = []
        self._closed: list[str] = []
        self._special: list[str] = []
        self._others: list[str] = []
        self._read(sorted(classes, key=Path.is_symlink))  # of two that are the same, the real one

    def of_class(self, folder: Path) -> tuple[Path, ...]:
        """The image files of a class, in the order of torchvision's `make_dataset`."""
        folders = sorted(self._files[folder].items(), key=lambda item: str(item[0]))
        return tuple(path / name for path, names in folders for name in names)

    def notices(self) -> Iterator[Notice]:
        """What was followed, and what was left out."""
        if self._refused:
            why = "folders that are read anyway, or that contain them"
            yield Notice(f"did not follow links to {why}: {named(self._refused)}", warning=True)
        if self._followed:
            yield Notice(f"followed links to folders: {named(self._followed)}")
        if self._closed:
            yield Notice(f"skipped folders that cannot be opened: {named(self._closed)}", True)
        if self._special:
            yield Notice(f"skipped what is not a regular file: {named(self._special)}", True)
        if others := self._others:
            ends = ", ".join(sorted({Path(name).suffix.lower() for name in others}))
            images = f"{len(others):,} image{'s' * (len(others) > 1)} of formats that are not read"
            yield Notice(f"skipped {images} ({ends}; convert them to .png): {named(others)}", True)

    def _read(self, classes: Sequence[Path]) -> None:
        """Read the class folders, each without the others, then what links in them lead to."""
        self._files = {folder: {} for folder in classes}
        for folder in [folder for folder in classes if self._claim(folder)]:
            self._read_below(folder, folder)
        for owner, link in self._links:  # grows while linked folders are read
            if self._claim(link, *_up(link.parent)):
                self._followed.append(self._name(link))
                self._read_below(owner, link)

    def _claim(self, folder: Path, *above: Path) -> bool:
        """Whether a folder is yet to be read, and none of `above`; otherwise it is named."""
        if (real := identity(folder)) in self._seen or real in map(identity, above):
            self._refused.append(self._name(folder))
            return False
        self._seen.add(real)
        return True

    def _read_below(self, owner: Path, folder: Path) -> None:
        """Read a folder and the real folders below it."""
        pending = [folder]
        while pending:
            here = pending.pop()
            try:
                with os.scandir(here) as entries:
                    pending += filter(self._claim, self._take(owner, here, entries))
            except OSError:
                self._closed.append(self._name(here))

    def _take(self, owner: Path, here: Path, entries: Iterator[os.DirEntry[str]]) -> list[Path]:
        """Note the images and links among the entries of a folder; returns its real folders."""
        names = self._files[owner].setdefault(here, [])
        folders = []
        for entry in sorted(entries, key=lambda entry: entry.name):
            kind = _kind(entry)
            if kind == stat.S_IFDIR and entry.is_symlink():
                self._links.append((owner, here / entry.name))
            elif kind == stat.S_IFDIR:
                folders.append(here / entry.name)
            elif entry.name.lower().endswith(self._extensions):
                if kind in _KINDS:
                    self._special.append(f"{self._name(here / entry.name)} ({_KINDS[kind]})")
                else:
                    names.append(entry.name)
            elif entry.name.lower().endswith(_NOT_READ):
                self._others.append(self._name(here / entry.name))
        return folders

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))


def named(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    first, more = names[:_NAMED], len(names) - _NAMED
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


def identity(path: Path) -> Identity:
    """Which real file or folder a path leads to; zeros if it leads nowhere."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _up(folder: Path) -> tuple[Path, ...]:
    """A folder and all that contain it, without links."""
    real = folder.resolve()
    return real, *real.parents


def _kind(entry: os.DirEntry[str]) -> int:
    """The type bits of what an entry leads to; those of a file for a link that leads nowhere."""
    try:
        if entry.is_dir():
            return stat.S_IFDIR
        return stat.S_IFREG if entry.is_file() else stat.S_IFMT(entry.stat().st_mode)
    except OSError:
        return stat.S_IFREG  # reported with the images that cannot be read
