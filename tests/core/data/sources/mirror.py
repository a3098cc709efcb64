"""A pytest plugin: a local mirror of MNIST in place of torchvision's."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.data.sources import mirrors
from tests.core.data.sources.servers import serving


@pytest.fixture(scope="session")
def mirror_folder(digits_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawn digits in MNIST's files, gzipped as on a mirror."""
    folder = tmp_path_factory.mktemp("mirror")
    for path in (digits_dir / "MNIST" / "raw").iterdir():
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), compresslevel=1))
    return folder


@pytest.fixture(scope="session")
def mirror(mirror_folder: Path) -> Iterator[str]:
    """The address of a mirror that serves them; `digits` makes them pass for MNIST."""
    with serving(mirror_folder) as address:
        yield address


@pytest.fixture
def name_mirrors(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets the mirrors' addresses."""

    def name(*addresses: str) -> None:
        monkeypatch.setattr(mirrors, "addresses", lambda _: list(addresses))

    return name
