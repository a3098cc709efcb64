"""Roles can be told apart by everyone, and read on every theme."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from rich.color_triplet import ColorTriplet
from textual.color import Color
from textual.theme import Theme

from tests.tui.looks.vision import VISIONS, contrast, difference
from tui.looks.palette import PALETTE
from tui.looks.roles import (
    ANSI_DARK,
    ANSI_LIGHT,
    DARK,
    HEAT_DARK,
    HEAT_LIGHT,
    LIGHT,
    role_variables,
)
from tui.looks.themes import OWN, THEMES

DATA = ("dense", "pruned", "finetuned", "validation", "kept")
"""Roles that share a plot."""

APART, APART_IN_ANY_VISION = 30, 10
"""Distances in CIELAB; 2 to 3 are the least that can be seen."""


@pytest.mark.parametrize("theme", OWN.values(), ids=OWN)
def test_our_themes_are_of_the_palette_so_that_256_colors_show_them_exactly(theme: Theme) -> None:
    colors = [value for value in vars(theme).values() if re.match("#", str(value))]
    colors += [*theme.variables.values(), *role_variables(theme).values()]
    assert len(colors) > 60
    for color in colors:
        assert ColorTriplet(*Color.parse(color).rgb) in PALETTE, color


@pytest.mark.parametrize("roles", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("vision", VISIONS)
def test_roles_of_one_plot_differ_in_every_vision(roles: dict[str, str], vision: str) -> None:
    least = APART if vision == "full" else APART_IN_ANY_VISION
    for one, other in combinations(DATA, 2):
        assert difference(roles[one], roles[other], vision) >= least, (one, other)


@pytest.mark.parametrize("roles", [DARK, LIGHT], ids=["dark", "light"])
def test_pruned_is_no_error_and_dense_no_warning(roles: dict[str, str]) -> None:
    for one, other in (("pruned", "error"), ("dense", "warning"), ("kept", "finetuned")):
        assert difference(roles[one], roles[other], "full") >= APART, (one, other)


@pytest.mark.parametrize("roles", [ANSI_DARK, ANSI_LIGHT], ids=["dark", "light"])
def test_roles_of_one_plot_differ_in_a_terminals_own_colors(roles: dict[str, str]) -> None:
    assert len({roles[role] for role in DATA}) == len(DATA)
    assert roles["error"] not in {roles[role] for role in DATA}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_role_can_be_read_on_every_theme(theme: Theme) -> None:
    variables = role_variables(theme)
    if theme.ansi:
        assert all(value.startswith("ansi_") for name, value in variables.items() if "role" in name)
        return
    grounds = theme.to_color_system().generate()
    for name, color in variables.items():
        if name.startswith("role-") and "frame" not in name:
            for ground in ("background", "panel"):
                assert contrast(color, grounds[ground]) >= 4.5, (name, ground)


@pytest.mark.parametrize("theme", OWN.values(), ids=OWN)
def test_our_themes_show_the_roles_as_chosen(theme: Theme) -> None:
    """Elsewhere a color may give way to a background; here all of them fit."""
    chosen = DARK if theme.dark else LIGHT
    shown = {name: Color.parse(role_variables(theme)[f"role-{name}"]).hex for name in chosen}
    assert shown == {name: Color.parse(color).hex for name, color in chosen.items()}


def test_every_level_of_heat_can_be_read() -> None:
    for level in (*HEAT_DARK.values(), *HEAT_LIGHT.values()):
        assert contrast(*level) >= 4.5, level
