"""The history on the screen, over real experiments on disk: shown, compared, left."""

from __future__ import annotations

import pytest

from core.experiments.experiment import Experiment
from tests.tui.history.histories import (
    AGGRESSIVE,
    Host,
    clipped,
    closed,
    interrupted,
    line,
    press,
    ready,
    record,
    settled,
    text,
    tuning,
    until,
)
from tui.screens.help.screen import HelpScreen
from tui.screens.plot import PlotScreen
from tui.widgets.lines import LinesWidget
from tui.widgets.runs_panel import RunsPanel

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("soon")]

SIZES = [(60, 20), (80, 24), (120, 36)]


# What it shows


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_nothing_is_clipped(twelve, size):
    app = Host(twelve, current="0012")
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        assert "▶⌂0012" in text(pilot)
        for key in ("space", "end", "v", "v", "space", "s"):
            await press(pilot, key)
            assert clipped(pilot) == []
            assert "q back" in text(pilot)
            assert sum("▶" in row for row in text(pilot).splitlines()) == 1


@pytest.mark.parametrize("size", [(20, 6), (200, 60)])
async def test_odd_sizes_do_not_fail(few, size):
    app = Host(few)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, "space", "down", "v", "v")
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert clipped(pilot) == []
        assert "0001" in line(pilot, "0001")


async def test_every_run_is_listed_with_its_numbers(twelve):
    app = Host(twelve)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, "end")
        row = line(pilot, "0003 ").split()
        assert row[1] == "◆"
        assert " ".join(row[5:]) == "fine-tune 36.88x 6,183 99.30 99.31 +0.12 5 aggressive"
        assert line(pilot, "0009").endswith("3/5  interrupted, 3/5 epochs")
        assert "unreadable: run.json" in line(pilot, "0010")
        assert line(pilot, "0008").endswith("stopped early")
        assert "trial 4" in line(pilot, "0007")
        assert "12 runs by run ▼" in text(pilot)
        assert "◆ front" in text(pilot)


async def test_the_plot_follows_the_chosen_run_and_the_split(twelve):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "end", "up", "up")
        assert "0003: 36.9x, 99.30 % · on the Pareto front" in text(pilot)
        assert "▸0003" in text(pilot)
        await ready(pilot, "v")
        assert "0003: 36.9x, 99.31 % · beaten by 0012" in text(pilot)
        assert "test accuracy:" in text(pilot)


async def test_an_empty_history_says_what_it_will_show(tmp_path):
    app = Host(Experiment(tmp_path / "nothing"))
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot, "enter", "n", "delete", "s", "space", "pageup")
        shown = " ".join(text(pilot).split())
        assert "No runs yet" in shown
        assert "is recorded" in shown
        assert "Esc back" in shown
        assert "nothing" in text(pilot)
        assert "delete" not in text(pilot)
        assert clipped(pilot) == []
        await pilot.press("q")
        assert await closed(pilot) is None


async def test_an_unreadable_folder_is_reported(tmp_path):
    place = tmp_path / "file"
    place.write_text("no folder")
    app = Host(Experiment(place))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "down", "enter")
        assert "Cannot read the runs" in text(pilot)
        assert "Not a directory" in " ".join(text(pilot).split())


# Choosing and sorting


async def test_keys_move_through_the_runs(twelve):
    app = Host(twelve, current="0007")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        run_list = app.history.run_list
        for key, at in (
            ("up", "0008"),
            ("j", "0007"),
            ("down", "0006"),
            ("k", "0007"),
            ("home", "0012"),
            ("pagedown", "0006"),
            ("end", "0001"),
            ("pageup", "0007"),
        ):
            await press(pilot, key)
            assert app.history.run_list.at == at
        assert app.history.run_list.rows == run_list.rows


async def test_the_mouse_chooses_and_opens(twelve):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.click("#runs", offset=(10, 3))
        assert app.history.run_list.at == "0011"
        await pilot.click("#runs", offset=(10, 7), times=2)
        run = await closed(pilot)
        assert run.id == "0007"


async def test_sorting_shows_in_the_header(twelve):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "s", "s", "home")
        assert "ratio▼" in text(pilot)
        assert "by ratio ▼" in text(pilot)
        assert app.history.run_list.at == "0006"
        await ready(pilot, "S", "home")
        assert "ratio▲" in text(pilot)
        assert app.history.run_list.at == "0001"
        await ready(pilot, "end")
        assert app.history.run_list.at == "0010"  # which has none


# Comparing


async def test_a_marked_run_is_compared_with_the_selected_one(twelve):
    app = Host(twelve, current="0012")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "space")
        assert "0012 marked" in text(pilot)
        await ready(pilot, "end", "up", "up")
        assert line(pilot, "◉ 0003").split()[2] == "36.88x"
        assert line(pilot, "◎ 0012").split()[2] == "45.38x"
        assert "-7.00       280       224" in line(pilot, "conv1")
        await ready(pilot, "v")
        assert "◉ 0003 99.30 % (epoch 5, best)" in text(pilot)
        await ready(pilot, "v", "]")
        await until(pilot, lambda: "1,280 kept" in text(pilot))
        assert "Weights · conv2: █ 0003 1,280 kept  ⠒ 0012 1,024 kept" in text(pilot)
        await ready(pilot, "v")
        assert "▸ conv2" in text(pilot)
        await ready(pilot, "[")
        assert "▸ conv1" in text(pilot)
        await ready(pilot, "space")
        assert "0003: 36.9x, 99.30 % · on the Pareto front" in text(pilot)


async def test_a_large_screen_shows_plot_layers_and_settings_at_once(twelve):
    app = Host(twelve)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, "space", "end", "up", "up")
        shown = text(pilot)
        assert "sparsity %" in shown
        assert "◉ 0003 99.30 % (epoch 5, best)" in shown
        assert "Weights · conv1: █ 0003 280 kept  ⠒ 0012 224 kept" in shown
        assert "settings: recipe ◉ reference ◎ fast" in shown
        assert "v view" not in shown


async def test_runs_that_cannot_be_compared_say_why(twelve):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "down", "down", "space")
        assert "run 0010 cannot be read" in text(pilot)
        await ready(pilot, "up", "space", "down")
        assert "run 0010 cannot be compared with run 0011" in text(pilot)
        await ready(pilot, "down", "v", "v")
        assert "Weights · conv1: █ 0009 –" in text(pilot)
        assert "0009 is interrupted" in text(pilot)
        assert "no weights yet" in text(pilot)


async def test_damaged_weights_are_reported(few):
    weights = few.find("1").weights_path
    data = weights.read_bytes().replace(b"conv1.weight", b"conv1.wright")
    weights.write_bytes(data)
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "space", "down", "v", "v")
        assert "Weights · conv1: █ 0001 –  ⠒ 0002 280 kept" in text(pilot)
        assert "0001: its weights file is damaged" in text(pilot)


# Leaving


@pytest.mark.parametrize("key", ["escape", "h"])
async def test_closing_the_history_restores_no_run(few, key):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, key)
        assert await closed(pilot) is None


@pytest.mark.parametrize(
    ("keys", "says", "id"),
    [
        (("end",), "Enter: continue from this dense net", "0001"),
        ((), "Enter: continue from this net", "0012"),
        (("down",) * 3, "Enter: resume at epoch 4 of 5", "0009"),
    ],
)
async def test_enter_restores_the_selected_run(twelve, keys, says, id):  # noqa: A002
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, *keys)
        assert says in text(pilot)
        await pilot.press("enter")
        run = await closed(pilot)
        assert run == twelve.find(id)


async def test_a_run_with_a_damaged_checkpoint_cannot_be_opened(few):
    run = interrupted(few)
    checkpoint = run.folder / "checkpoint.safetensors"
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data.replace(b'\\"state\\"', b'\\"stale\\"'))
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "enter")
        assert app.result == "open"
        assert "its checkpoint is damaged: press Delete to delete it" in text(pilot)


async def test_a_run_killed_before_its_first_epoch_can_be_started_over(few):
    with few.begin(record(tuning(AGGRESSIVE))) as writer:
        few.annotate(few.find(writer.id), "killed early")
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert "Enter: start over" in text(pilot)
        await pilot.press("enter")
        run = await closed(pilot)
        assert (run.id, run.status, run.resumable) == ("0003", "interrupted", True)


async def test_keys_of_the_screen_below_do_nothing(few):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "p", "f")
        assert app.pruned == 0


async def test_closing_the_help_rereads_the_runs(few):
    app = Host(few)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "?")
        assert isinstance(app.screen, HelpScreen)
        assert "Select the run above" in text(pilot)
        interrupted(few)
        few.annotate(few.find("2"), "from elsewhere")
        await ready(pilot, "escape")
        assert "resume" not in text(pilot)
        assert "from elsewhere" in line(pilot, "0002")
        await ready(pilot, "up")
        assert "Enter: resume at epoch 4 of 5" in text(pilot)


async def test_held_keys_redraw_the_plot_at_a_limited_rate(twelve, monkeypatch):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        now = 1e6
        monkeypatch.setattr("tui.screens.history.panes.monotonic", lambda: now)
        await pilot.press("down", "down", "down")
        assert app.history.run_list.at == "0009"
        assert "0011: 17.2x" in text(pilot)
        assert "▶ 0009" in text(pilot)
        now += 1
        await settled(pilot)
        assert "0011: 17.2x" not in text(pilot)


async def test_unchanged_parts_are_not_redrawn(twelve, monkeypatch):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "end", "space", "up", "up", "v", "v")
        refreshed: list[object] = []
        real = LinesWidget.refresh
        monkeypatch.setattr(
            LinesWidget,
            "refresh",
            lambda self, *regions, **more: (refreshed.append(self), real(self, *regions, **more))[
                1
            ],
        )
        app.history.reload()
        await ready(pilot, "]")
        refreshed.clear()
        app.history.reload()
        await settled(pilot)
        await pilot.pause(0.3)
        assert refreshed == []
        assert app.history.query_one(RunsPanel).HELP


async def test_a_plot_of_runs_fills_the_screen_and_v_shows_the_next(twelve):
    app = Host(twelve)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await press(pilot, "F")
        assert isinstance(app.screen, PlotScreen)
        assert whole(app, "whole-title").startswith("Runs · ")
        assert "validation accuracy" in whole(app, "whole-plot")
        await pilot.press("v", "right")
        assert "test accuracy" in whole(app, "whole-plot")
        assert whole(app, "readout").startswith("ratio ")
        before = whole(app, "whole-plot")
        await pilot.press("l")
        assert whole(app, "whole-plot") != before
        await pilot.press("escape")
        await press(pilot, "space", "down", "F")
        assert whole(app, "whole-title").startswith("Trainings · ")
        await pilot.press("v")
        assert whole(app, "whole-title").startswith("Weights · ")
        await pilot.press("escape", "escape")


def whole(app: Host, name: str) -> str:
    lines = app.screen.query_one(f"#{name}", LinesWidget).lines
    return "\n".join("".join(span.text for span in row) for row in lines)
