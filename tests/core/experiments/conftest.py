"""An experiment of each test's own."""

from pathlib import Path

import pytest

from core.experiments.experiment import Experiment


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path / "it")
