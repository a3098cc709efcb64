"""What the command `inspect` says of a file that does not name all it needs."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from tui.cli.commands.inspect import missing_options

MODEL, DATA = "--model path/to/net.py:Net", "--dataset folder:PATH"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, f"this net is your own and for a folder of images; add {MODEL} {DATA}"),
        ({"model": "net.py:Net"}, f"this net is for a folder of images; add {DATA}"),
        ({"dataset": "folder:pets"}, f"this net is your own; add {MODEL}"),
        ({"model": "net.py:Net", "dataset": "folder:pets"}, ""),
    ],
)
def test_all_missing_options_are_named_at_once(options: dict[str, str], said: str) -> None:
    file: Any = SimpleNamespace(model="", facts={"dataset": "folder"})
    assert missing_options(Namespace(**options), file) == said
