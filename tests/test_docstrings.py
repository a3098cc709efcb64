"""The examples in the docstrings of core and tui print what they show.

Those of `core.api` run in `tests/core/test_examples.py`.
"""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def modules() -> list[str]:
    """The modules that have examples."""
    names = []
    for package in ("core", "tui"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            place = path.relative_to(REPOSITORY)
            if not place.is_relative_to("core/api") and ">>> " in path.read_text(encoding="utf-8"):
                names.append(".".join(place.with_suffix("").parts).removesuffix(".__init__"))
    return names


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_run(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name))
    assert (failed, tried > 0) == (0, True)
