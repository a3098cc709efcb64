"""The key `e`: the net on the screen, written to a file, over scripted jobs and a real history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Static

from core.errors import InputError
from core.formats.export_formats import LEVELS, QUANTIZED, VALUES, Packing
from tests.tui.conftest import idle, ready, shown, until
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import AGGRESSIVE, PRUNED, SIZES, TUNED, net
from tui.app import FeatherweightApp
from tui.features.exporting import net_name
from tui.screens.export_dialog import ExportDialog
from tui.screens.question import Question
from tui.state import export_form
from tui.state.export_form import ExportForm
from tui.state.results import Result
from tui.state.state import State
from tui.views.activity import JobProgress

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


async def asked(pilot) -> ExportDialog:
    """Until the dialog is there."""
    await pilot.press("e")
    await until(pilot, lambda app: isinstance(app.screen, ExportDialog))
    return pilot.app.screen


async def planned(pilot) -> None:
    await ready(pilot)
    await pilot.press("m", "down", "enter")


async def test_the_fine_tuned_net_is_exported_and_its_file_reported(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        await pilot.press("f")
        await idle(pilot)
        course, tuned = app.state.curve, app.state.finetuned
        screen = await asked(pilot)
        path = Path(screen.form.path)
        await pilot.press("enter")
        await idle(pilot)
        assert app.session.backend.started[-1] == f"export {path} codebook None"
        assert path.stat().st_size == 5_512
        assert f"{path}: 5,512 bytes" in app.activity.text
        assert {"5,512", "99.31", "99.29"} <= set(app.activity.text.split())
        assert app.state.curve == course, "no batch of the export is in the curve"
        assert app.state.finetuned.net is tuned.net
        assert [one.bytes for one in app.state.finetuned.exports] == [5_512]
        await until(pilot, lambda app: not app.main_screen.stale)
        panel = shown(app, "#plot-0")
        assert "compact, 12 levels" in panel
        assert "99.29 %" in panel


async def test_an_unmeasured_plan_is_pruned_and_measured_before_the_export(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        await asked(pilot)
        await pilot.press("enter")
        await idle(pilot)
        assert [word.partition(" ")[0] for word in app.session.backend.started] == [
            "prune",
            "export",
        ]
        assert app.state.is_current(app.state.pruned)
        assert app.state.pruned.accuracy == PRUNED
        assert app.state.pruned.sizes == SIZES
        await pilot.press("u")
        assert app.state.pruned is None


async def test_undo_keeps_exported_files(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        await pilot.press("p")
        await idle(pilot)
        await pilot.press("right", "left")
        await asked(pilot)
        await pilot.press("enter")
        await idle(pilot)
        assert app.session.backend.started[0] == "prune"
        assert len(app.session.backend.started) == 2, "what was measured is not measured again"
        await pilot.press("u", "u")
        assert app.state.planned == AGGRESSIVE
        assert app.state.current.exports


async def test_a_stopped_export_leaves_no_file(tmp_path):
    backend = Scripted(pause_at=0)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, lambda _: backend.paused.is_set())
        await until(pilot, lambda app: isinstance(app.activity, JobProgress) and app.activity.batch)
        await until(pilot, lambda app: "left" in shown(app, "#activity"))
        await pilot.press("e", "x")
        assert not isinstance(app.screen, ExportDialog), "one job at a time"
        backend.go.set()
        await idle(pilot)
        assert app.activity.text == "stopped: nothing was written"
        assert not list(tmp_path.iterdir())


async def test_replacing_a_file_asks_first(app, tmp_path):
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        path = tmp_path / (await asked(pilot)).form.path
        path.write_text("dear")
        for answer in ("n", "enter", "escape"):
            await pilot.press("enter")
            await until(pilot, lambda app: isinstance(app.screen, Question))
            await pilot.press(answer)
            assert path.read_text() == "dear"
            assert app.job is None
            if answer != "escape":
                await asked(pilot)
        await asked(pilot)
        await pilot.press("enter")
        await until(pilot, lambda app: isinstance(app.screen, Question))
        await pilot.press("y")
        await idle(pilot)
        assert path.stat().st_size == 5_512


async def test_a_path_that_cannot_be_written_is_explained_in_the_dialog(app):
    wrong = {"nowhere/net.fw": "no such folder", "net.zip": "in one of .fw", "": "one of .fw"}
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        screen = await asked(pilot)
        for path, said in wrong.items():
            screen.query_one("Input").value = path
            await pilot.press("enter")
            assert app.screen is screen
            assert said in str(screen.query_one("#rows-hint", Static).visual)
        await pilot.press("escape")
        assert app.job is None


async def test_a_folder_that_takes_no_files_is_found_out_before_any_work(app, backend):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        screen = await asked(pilot)
        screen.query_one("Input").value = "/proc/net.fw"
        await pilot.press("enter")
        await idle(pilot)
        assert app.activity.text.startswith("cannot write /proc/net.fw: no file can be created")
        assert backend.started == []


async def test_a_disk_without_space_is_an_error_in_the_app(app):
    app.session.backend.error = InputError("cannot write net.fw: no space left (0 MB free)")
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        app.session.backend.prune = Scripted().prune
        await asked(pilot)
        await pilot.press("enter")
        await idle(pilot)
        assert app.activity.role == "error"
        assert "no space left" in app.activity.text
        await pilot.press("p")
        await idle(pilot)
        assert app.activity.role == "good"


async def test_rows_are_changed_and_remembered(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await planned(pilot)
        before = (await asked(pilot)).form.path
        await pilot.press("down", "right", "down", *["right"] * 8, "down", "right", "down", "right")
        await pilot.press("enter")
        await idle(pilot)
        assert app.session.backend.started[-1].endswith("steps 12")
        await pilot.press("right")
        screen = await asked(pilot)
        assert screen.form.packing == Packing("steps", levels=12, epochs=1)
        assert screen.form.path != before, "the name goes with the ratio"
        await pilot.press("q")
        assert app.screen is screen, "a name is typed: q is a letter"


async def test_the_dialog_says_in_which_folder_the_file_will_be(app, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "nets").mkdir()
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        screen = await asked(pilot)
        folder, hint = screen.query_one("#export-folder"), screen.query_one("#rows-hint")
        assert "values that a layer's weights share" in str(hint.content)
        assert "Enter write" in str(hint.content)
        assert hint.region.bottom < screen.region.bottom, "it fits"
        assert folder.lines[0][-1].text == "in ~"
        screen.query_one("Input").value = "nets/net.fw"
        await until(pilot, lambda _: folder.lines[0][-1].text == "in ~/nets")
        screen.query_one("Input").value = f"/{'long/' * 40}net.fw"
        await until(pilot, lambda _: folder.lines[0][-1].text.endswith("/long/long"))
        assert folder.lines[0][-1].text.startswith("in …")


async def test_a_letter_is_typed_only_where_there_is_a_name(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        screen = await asked(pilot)
        await pilot.press("home", "m", "y", "down", "x", "up", "end", "backspace", "backspace")
        assert screen.form.path == "mycnn5-1x."


def test_every_way_to_keep_values_can_be_chosen():
    assert set(export_form.VALUES) == set(VALUES)
    chosen = ExportForm("net.fw", at=1)
    seen = {chosen.values}
    for _ in VALUES:
        assert chosen.packing.quantizes == (chosen.values in QUANTIZED)
        meaning = f"{chosen.values}: " if chosen.packing.quantizes else ""
        assert chosen.sharing.startswith(meaning)
        assert bool(chosen.sharing) == bool(meaning), "what sharing means is said where it is"
        chosen = chosen.change(1)
        seen.add(chosen.values)
    assert seen == set(VALUES)
    fewest = replace(chosen, at=2)
    assert [fewest.change(n).packing.levels for n in range(len(LEVELS) + 2)] == [
        None,
        *LEVELS,
        LEVELS[-1],
    ]
    assert fewest.change(3).change(-9).packing == Packing("codebook", max_drop=0.1)


def test_other_formats_keep_every_value():
    for path in ("net.pt", "net.safetensors"):
        chosen = ExportForm(path, at=1)
        assert chosen.packing == Packing()
        assert not chosen.problem
        assert all(row.idle for row in chosen.rows())
        assert not chosen.sharing
        assert chosen.change(1) == chosen


def test_a_nets_name_follows_from_its_state():
    dense, tuned = net(), net(AGGRESSIVE)
    state = State().with_dense(dense)
    assert net_name(state) == "the dense net"
    state = state.set_plan(AGGRESSIVE)
    assert net_name(state) == "the pruned net"
    state = state.with_finetuned(
        Result(state.planned, dense, TUNED, state.footprint, tuned), state.undo_point
    )
    assert net_name(state) == "the fine-tuned net"
    assert net_name(state.nudge(-1)) == "the pruned net"
    assert net_name(state.adopt()) == "the base"
