"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.datasets import default_data_dir, fetch
from core.events import drain


@pytest.fixture(autouse=True, scope="session")
def own_experiments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests record goes to a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("XDG_DATA_HOME", str(folder))
        patch.setattr("core.experiment.default_place", lambda: folder / "experiments")
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The default data folder with MNIST in it."""
    drain(fetch("mnist"))
    return default_data_dir()
