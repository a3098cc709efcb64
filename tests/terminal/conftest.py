"""The real program reads real MNIST."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tui.cli.main import main

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def data_dir(mnist_dir: Path) -> Path:
    """The data folder passed to the program."""
    return mnist_dir


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process, where a process would only take longer to start."""

    def command(*arguments: str) -> CompletedProcess[str]:
        status = main(arguments)
        return CompletedProcess(arguments, status, *capfd.readouterr())

    return command
