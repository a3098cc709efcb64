"""Every role has a color in one file; what the colors say is there in 256 of them and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.style import Style
from textual.theme import BUILTIN_THEMES

import tui
from tests.tui.conftest import ready
from tests.tui.history.histories import CSS
from tests.tui.looks.vision import contrast
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import AGGRESSIVE, residual, scanned
from tui.app import FeatherweightApp
from tui.looks.palette import in_palette
from tui.screens.main import MainScreen
from tui.state.state import State
from tui.text.lines import ROLES
from tui.views.activity import Outcome
from tui.widgets.lines import RoleApp

HEAT = ("heat-none", "heat-low", "heat-over", "heat-far")
MIXED = [name for name in BUILTIN_THEMES if not name.startswith("ansi")]
"""The themes with colors of their own; the others take the terminal's."""

LEAST = 4.5
"""The contrast of text that WCAG 2 asks for (success criterion 1.4.3)."""


class Host(RoleApp):
    """Shows the sensitivity of 54 layers."""

    CSS_PATH = CSS

    def __init__(self) -> None:
        super().__init__()
        net = residual()
        names = [profile.layer.name for profile in net.profiles]
        plan = dict(zip(names, [*AGGRESSIVE.values()] * len(names), strict=False))
        state = State().with_dense(net).set_plan(plan)
        state = state.with_scan(net.digest, scanned(5_000, names))
        self.main_screen = MainScreen()
        self.main_screen.show(replace(state, plot="sensitivity"), Outcome(""), ())

    def on_mount(self) -> None:
        self.push_screen(self.main_screen)

    def levels(self) -> dict[str, Style]:
        """The style of each level."""
        return {role: self.role_style(role) for role in HEAT}

    def segments(self) -> Iterator[tuple[str, Style]]:
        """What the terminal gets of the screen."""
        for strip in self.main_screen._compositor.render_strips():
            yield from ((segment.text, segment.style or Style()) for segment in strip)


def in_256(color: Color | None) -> ColorTriplet:
    """A color as a terminal of 256 colors shows it."""
    assert color is not None
    shown = in_palette(Style(color=color)).color
    assert shown is not None
    return shown.get_truecolor()


def test_every_role_and_no_other_has_a_color() -> None:
    colors = (Path(tui.__file__).parent / "colors.tcss").read_text(encoding="utf-8")
    assert set(re.findall(r"\.role--([\w-]+)", colors)) == set(ROLES)
    assert len(set(ROLES)) == len(ROLES)


def test_every_role_is_used() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(tui.__file__).parent.rglob("*.py")
        if path.name != "lines.py"
    )
    assert [role for role in ROLES if f'"{role}"' not in source] == []


async def test_levels_of_heat_differ_and_can_be_read_in_256_colors_of_every_theme() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for theme in MIXED:
            app.theme = theme
            await pilot.pause()
            styles = app.levels()
            shown = {role: in_256(style.bgcolor) for role, style in styles.items()}
            for one, other in combinations(HEAT, 2):
                assert shown[one] != shown[other], (theme, one, other)
            for role, style in styles.items():
                assert contrast(in_256(style.color).hex, shown[role].hex) >= LEAST, (theme, role)


async def test_large_drops_stand_out_in_a_terminals_own_colors() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        for theme in ("ansi-dark", "ansi-light"):
            app.theme = theme
            await pilot.pause()
            styles = app.levels()
            assert len({(style.color, style.reverse) for style in styles.values()}) == len(HEAT)
            assert [bool(styles[role].reverse) for role in HEAT] == [False, False, True, True]


async def test_without_color_a_terminals_own_colors_are_its_default_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = FeatherweightApp(Scripted())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        app.theme = "ansi-dark"
        await pilot.pause()
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                style = segment.style
                assert style is not None
                assert style.color is not None
                assert style.color.is_default, (segment.text, style)


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_without_color_drops_are_read_from_their_numbers(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {}
    for colors in ("some", "none"):
        if colors == "none":
            monkeypatch.setenv("NO_COLOR", "1")
        app = Host()
        app.theme = theme
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause(0.05)
            seen[colors] = list(app.segments())
    texts = {colors: "".join(text for text, _ in drawn) for colors, drawn in seen.items()}
    assert texts["none"] == texts["some"]
    for sign in ("drop in points", "│ over 1.0", "◆ plan", "0  .2   1 │ 4◆ 16  45"):
        assert sign in texts["none"]
    for text, style in seen["none"]:
        shades = [color.get_truecolor() for color in (style.color, style.bgcolor) if color]
        assert all(len(set(shade)) == 1 for shade in shades), (text, style)
        if len(shades) == 2 and any(map(str.isdigit, text)):
            assert contrast(shades[0].hex, shades[1].hex) >= 3, (text, style)
