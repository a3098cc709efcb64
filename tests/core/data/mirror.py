"""A pytest plugin: a mirror of MNIST on this machine, in place of those that torchvision names."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.data.sources import mirrors
from tests.core.data.servers import serving


@pytest.fixture(scope="session")
def mirror_folder(digits_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn digits as MNIST's files, gzipped as on a mirror."""
    folder = tmp_path_factory.mktemp("mirror")
    for path in (digits_dir / "MNIST" / "raw").iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), compresslevel=1))
    return folder


@pytest.fixture(scope="session")
def mirror(mirror_folder: Path) -> Iterator[str]:
    """The address of a mirror that serves these: `digits` has them taken for MNIST."""
    with serving(mirror_folder) as address:
        yield address


@pytest.fixture
def name_mirrors(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call it with the addresses of the mirrors that there are."""

    def name(*addresses: str) -> None:
        monkeypatch.setattr(mirrors, "addresses", lambda _: list(addresses))

    return name
