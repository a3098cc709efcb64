"""The help describes every key and the data that are loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.settings.settings import Settings
from tests.tui.scripted_nets import net
from tui.keys.main_keys import KEYS
from tui.screens.help.sections import help_lines, main_help
from tui.state.state import State


def opened(split_sizes: tuple[int, int] | None, protocol: str = "default") -> State:
    state = State(settings=Settings(protocol=protocol))
    return state.with_dense(replace(net(), split_sizes=split_sizes))


def help_text(state: State) -> str:
    lines = help_lines(main_help(state), 200)
    return "\n".join("".join(span.text for span in line) for line in lines)


def meaning(term: str, state: State) -> str:
    (line,) = (line for line in help_text(state).splitlines() if line.startswith(f"  {term} "))
    return line


def test_every_key_is_in_the_help_with_its_tooltip():
    lines = help_text(State()).splitlines()
    for key in KEYS:
        assert any(key.shown in line and line.endswith(key.tooltip) for line in lines)


@pytest.mark.parametrize("sizes", [(5_000, 10_000), (9, 12), (0, 1_234_567)])
def test_the_help_counts_the_images_that_are_loaded(sizes: tuple[int, int]):
    state = opened(sizes)
    assert f" {sizes[0]:,} images " in meaning("validation", state)
    assert f" {sizes[1]:,} images " in meaning("test", state)


@pytest.mark.parametrize("state", [State(), opened(None)], ids=["nothing open", "sizes unknown"])
def test_the_help_gives_no_number_of_images_before_they_are_loaded(state: State):
    for term in ("validation", "test"):
        assert not any(char.isdigit() for char in meaning(term, state))


def test_the_help_says_that_the_reference_protocol_chooses_on_the_test_images():
    state = opened((10_000, 10_000), protocol="reference")
    assert "test images" in meaning("validation", state)
    assert "10,000 images" in meaning("test", state)
