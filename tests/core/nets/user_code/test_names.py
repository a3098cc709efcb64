"""Paths in recorded files, opened from other folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.registry import is_same_data
from core.nets.zoo import is_same_model


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b", "moved"):
        (tmp_path / folder / "images").mkdir(parents=True)
        (tmp_path / folder / "net.py").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("recorded", "named", "same"),
    [
        ("a/net.py:Net", "./a/../a/net.py:Net", True),
        ("a/net.py:Net", "a.net:Net", True),
        ("a.net:Net", "{here}/a/net.py:Net", True),
        ("{here}/a/net.py:Net", "a/net.py:Net", True),
        ("net.py:Net", "{here}/a/net.py:Net", True),
        ("../a/net.py:Net", "{here}/a/net.py:Net", True),
        ("/gone/net.py:Net", "moved/net.py:Net", True),
        ("a/net.py:Net", "b/net.py:Net", False),
        ("a/net.py:Net", "a/net.py:Other", False),
        ("/gone/nets.py:Net", "a/net.py:Net", False),
        ("timm:create_model", "torch.hub:create_model", False),
        ("cnn5", "net.py:cnn5", False),
        ("a/net.py:cnn5", "cnn5", False),
        ("a\0/net.py:Net", "a/net.py:Net", False),
        ("nothing", "a/net.py:Net", False),
    ],
)
def test_a_recorded_net_is_known_by_every_path_of_its_file(
    recorded: str, named: str, same: bool, tmp_path: Path
) -> None:
    assert is_same_model(recorded.format(here=tmp_path), named.format(here=tmp_path)) is same


@pytest.mark.parametrize(
    ("recorded", "named", "same"),
    [
        ("folder:a/images", "folder:{here}/a/images/", True),
        ("folder:images", "folder:b/images", True),
        ("folder:.", "folder:a/images", True),
        ("folder:/gone/images", "folder:moved/images", True),
        ("folder:a/images", "folder:b/images", False),
        ("folder:a/images", "folder:a", False),
        ("mnist", "folder:a/images", False),
        ("mnist", "fashion-mnist", False),
    ],
)
def test_recorded_images_are_known_by_every_path_of_their_folder(
    recorded: str, named: str, same: bool, tmp_path: Path
) -> None:
    assert is_same_data(recorded, named.format(here=tmp_path)) is same
