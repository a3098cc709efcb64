"""The real program reads real MNIST."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir(mnist_dir: Path) -> Path:
    """The data folder passed to the program."""
    return mnist_dir
