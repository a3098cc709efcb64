"""A plot on the whole screen: its cursor, its scale, and its files."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.conftest import ready
from tui.app import FeatherweightApp
from tui.screens.help.sections import context
from tui.screens.path_dialog import PathDialog
from tui.screens.plot import PlotScreen
from tui.screens.plot_files import check_target
from tui.widgets.lines import LinesWidget
from tui.widgets.plot import PlotPanel


def part(app: FeatherweightApp, name: str) -> str:
    lines = app.screen.query_one(f"#{name}", LinesWidget).lines
    return "\n".join("".join(span.text for span in line) for line in lines)


async def test_a_plot_fills_the_screen_and_its_cursor_reads_out_points(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("F")
        assert isinstance(app.screen, PlotScreen)
        assert part(app, "whole-title").startswith("Weights · conv1")
        assert "Weights" not in part(app, "whole-plot")
        assert len(part(app, "whole-plot").splitlines()) == 20
        await pilot.press("right", "right")
        first = part(app, "readout")
        assert "▸weights" in first
        await pilot.press("down")
        assert "▸kept" in part(app, "readout")
        await pilot.press("up", "left")
        assert "▸weights" in part(app, "readout") != first
        before = app.state.planned
        await pilot.press("backspace", "9", "x", "f")
        assert "▸" not in part(app, "readout")
        assert (app.state.planned, app.job) == (before, None)
        await pilot.press("F")
        assert app.screen is app.main_screen


async def test_v_steps_and_l_changes_the_scale(app):
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        await pilot.press("F", "v", "v", "v")
        assert app.state.plot == "parameters"
        assert "log scale" not in part(app, "whole-plot")
        await pilot.press("l")
        assert "log scale" in part(app, "whole-plot")
        await pilot.press("down", "down")
        assert part(app, "readout").startswith("layer conv2  dense 25,632")
        await pilot.press("V", "escape")
        assert app.state.plot == "sensitivity"


async def test_enter_shows_the_plot_that_has_the_focus(app):
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        panel = list(app.main_screen.query(PlotPanel))[1]
        panel.focus()
        assert panel.plot == "accuracy"
        await pilot.press("enter")
        assert isinstance(app.screen, PlotScreen)
        assert app.state.plot == "accuracy"


async def written(app: FeatherweightApp, pilot: Pilot[None], path: Path, *answer: str) -> None:
    await pilot.press("e")
    assert isinstance(app.screen, PathDialog)
    assert [section.title for section in context(app.screen)] == ["A plot as a file"]
    app.screen.query_one(Input).value = str(path)
    await pilot.press("enter", *answer)
    await pilot.pause()


async def test_a_plot_is_written_as_a_picture_and_as_a_table(app, tmp_path):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("F", "right")
        for name in ("plot.svg", "plot.png", "plot.csv"):
            await written(app, pilot, tmp_path / name)
            assert "wrote" in part(app, "readout")
        svg = ElementTree.parse(tmp_path / "plot.svg").getroot()
        words = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
        assert {"Weights", "conv1"} <= words
        with Image.open(tmp_path / "plot.png") as image:
            assert len(image.convert("RGB").getcolors(100_000)) > 5
        header, *rows = csv.reader((tmp_path / "plot.csv").read_text().splitlines())
        assert header == ["from", "to", "weights", "kept"]
        assert sum(int(row[2]) for row in rows) == 800
        kept = (tmp_path / "plot.csv").read_bytes()
        await pilot.press("v", "v", "v")
        await written(app, pilot, tmp_path / "plot.csv", "n")
        assert (tmp_path / "plot.csv").read_bytes() == kept
        await written(app, pilot, tmp_path / "plot.csv", "y")
        assert (tmp_path / "plot.csv").read_text().startswith("layer,dense,kept\nconv1,832,")


@pytest.mark.parametrize("name", ["plot.txt", "plot", "missing/plot.csv", ""])
def test_a_path_that_cannot_be_written_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"expected a file|does not exist"):
        check_target(str(tmp_path / name))
