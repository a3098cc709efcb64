"""Paths as typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from tui.system.paths import check_folder, path_of, with_tilde


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert path_of("~/cnn5.fw") == tmp_path / "cnn5.fw"


def test_a_file_needs_an_existing_folder(tmp_path: Path) -> None:
    check_folder(str(tmp_path / "new.toml"))
    with pytest.raises(InputError, match="missing"):
        check_folder(str(tmp_path / "missing" / "new.toml"))


def test_the_home_folder_is_shown_as_a_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert with_tilde(tmp_path / "me" / "runs") == "~/runs"
    assert with_tilde(tmp_path / "you") == str(tmp_path / "you")
