"""The real program reads real MNIST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from core.sweep.live.folder import sweeps_of
from tests.core.data.folders.drawn import fill, spotted
from tests.core.user_nets import write
from tui.cli.main import main

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="session")
def data_dir(mnist_dir: Path) -> Path:
    """The data folder passed to the program."""
    return mnist_dir


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """The options of a fine-tuning that never ends by itself, after no training.

    A sweep of such that a failed test has left running is stopped.
    """
    import torch

    from core.nets.user_model import build

    pets, net = fill(tmp_path / "pets", 12, spotted, ("red", "green", "blue")), write(tmp_path)
    model, weights = f"{net}:coloured", tmp_path / "dense.pt"
    torch.save(build(model).state_dict(), weights)
    data = ("--dataset", f"folder:{pets}", "--threads", "1", "--precision", "fp32")
    place = ("--experiment", str(tmp_path / "it"), "--epochs", "100000")
    yield ("--model", model, "--weights", str(weights), *data, *place)
    for sweep in sweeps_of(tmp_path / "it"):
        if sweep.is_running:
            sweep.stop()


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line in this process, where a process would only take longer to start."""

    def command(*arguments: str) -> CompletedProcess[str]:
        status = main(arguments)
        return CompletedProcess(arguments, status, *capfd.readouterr())

    return command
