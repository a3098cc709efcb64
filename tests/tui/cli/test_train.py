"""The command `train`."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import WriteError
from tui.cli.main import main


def test_weights_that_cannot_be_written_are_still_in_the_run(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise WriteError(f"cannot write {path}: no space left (0 MB free); free some space")

    monkeypatch.setattr("core.formats.weights_files.save_dense", refuse)
    options = ("--model", "lenet-300-100", "--epochs", "1", "--threads", "1", "--precision", "fp32")
    place = ("--experiment", str(tmp_path / "it"), "--to", str(tmp_path / "net.safetensors"))
    assert main(["train", *options, *place, "--data-dir", str(data_dir)]) == 1
    warning, result = capsys.readouterr().out.splitlines()[-2:]
    assert warning.startswith("warning: cannot write")
    weights = tmp_path / "it" / "0001" / "weights.safetensors"
    assert result == f"best epoch 1; weights in {weights}"
    assert weights.exists()
