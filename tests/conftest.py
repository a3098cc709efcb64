"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datasets import default_data_dir, fetch
from core.events import drain


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The default data folder with MNIST in it."""
    drain(fetch("mnist"))
    return default_data_dir()
