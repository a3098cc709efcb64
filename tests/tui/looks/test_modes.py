"""Every size in every mode: a picture, each text can be read, no terminal gets what it cannot show.

`--snapshot-update` draws the pictures again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_textual_snapshot import SVGImageExtension
from rich.color import Color, ColorType
from rich.segment import Segment
from syrupy.assertion import SnapshotAssertion
from textual.app import App
from textual.color import TRANSPARENT

from tests.tui.conftest import idle, ready, settled, until
from tests.tui.looks.conftest import plots_are_drawn
from tests.tui.looks.vision import contrast
from tui.app import FeatherweightApp
from tui.looks.palette import PaletteColors
from tui.looks.terminal import Look

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("same_every_time")]

SIZES = ((60, 20), (80, 24), (120, 36), (200, 60))
TRUE = 2**24
MODES = {
    "dark": Look("featherweight-dark", False, TRUE),
    "light in 256 colors": Look("featherweight-light", False, 256),
    "a theme of Textual's in 256 colors": Look("nord", False, 256),
    "its own colors": Look("ansi-dark", False, 16),
    "its own colors on white": Look("ansi-light", False, 16),
    "no colors, ASCII": Look("ansi-dark", True, 0),
}
LEAST = 4.5
DIALOGS = (("question_mark",), ("escape", "c"), ("escape", "m"), ("escape", "h"))
"""Keys to dialogs and the history."""


def drawn(app: App[None]) -> Iterator[Segment]:
    """What the terminal gets."""
    for strip in app.screen._compositor.render_strips():
        yield from strip


def hexed(color: Color) -> str:
    red, green, blue = color.get_truecolor()
    return f"#{red:02x}{green:02x}{blue:02x}"


def check(app: App[None], look: Look) -> None:
    segments = [*drawn(app)]
    assert any(map(str.isalnum, "".join(text for text, _, _ in segments)))
    for text, style, _ in segments:
        assert style is not None
        colors = [color for color in (style.color, style.bgcolor) if color is not None]
        assert text.isascii() or not look.ascii_only
        if look.colors == 0:
            assert all(color.is_default for color in colors), text
        elif look.colors == 16:
            assert all(color.type != ColorType.TRUECOLOR for color in colors), (text, style)
        elif any(map(str.isalnum, text)) and not style.dim:
            front, back = map(hexed, colors)
            assert contrast(front, back) >= LEAST, (text, front, back)


async def test_every_mode_looks_as_drawn_at_every_size(
    app: FeatherweightApp, snapshot: SnapshotAssertion
) -> None:
    pictures = snapshot.use_extension(SVGImageExtension)
    others = []
    async with app.run_test(size=SIZES[0]) as pilot:
        await ready(pilot)
        await pilot.press("m", "down", "enter", "f")
        await idle(pilot)
        await settled(pilot)
        for mode, look in MODES.items():
            app.put_on(look)
            for columns, rows in SIZES:
                await pilot.resize_terminal(columns, rows)
                await until(pilot, plots_are_drawn)
                await settled(pilot)
                check(app, look)
                if app.export_screenshot() != pictures(name=f"{mode}, {columns}x{rows}"):
                    others.append(f"{mode}, {columns}x{rows}")
        for keys in DIALOGS:
            await pilot.press(*keys)
            await pilot.pause(0.02)
            check(app, look)
    assert not others


@pytest.mark.parametrize("theme", ["featherweight-dark", "featherweight-light"])
async def test_256_colors_show_our_themes_as_true_color_does(
    theme: str, app: FeatherweightApp
) -> None:
    app.put_on(Look(theme, False, TRUE))
    nearest = PaletteColors(nearest=True)
    async with app.run_test(size=SIZES[2]) as pilot:
        await ready(pilot)
        for segment in drawn(app):
            (shown,) = nearest.apply([segment], TRANSPARENT)
            assert colors_of(shown) == colors_of(segment)


def colors_of(segment: Segment) -> list[str]:
    style = segment.style
    assert style is not None
    return [hexed(color) for color in (style.color, style.bgcolor) if color is not None]
