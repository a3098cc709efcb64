"""Nets with many or large layers: everything fits the screen and stays reachable."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from textual.widgets import Input

from core.jobs.net import Net
from core.nets.layers import Layer, prunable_layers
from core.nets.user_model import build
from core.nets.weights import copy_weights
from core.pruning.curves import SPARSITIES, Point, Scan
from core.pruning.what_if import Profile
from tests.core.user_nets import write
from tests.tui.conftest import ready, shown, until
from tests.tui.scripted import Many
from tests.tui.scripted_nets import DENSE
from tui.app import FeatherweightApp
from tui.state.state import State
from tui.views.panels.layer_table import table
from tui.views.plot_registry import PLOTS
from tui.widgets.inputs.find_input import FindInput
from tui.widgets.inputs.value_input import ValueInput
from tui.widgets.layer_table import LayerTable
from tui.widgets.plot import PlotPanel

pytestmark = pytest.mark.slow

WEIGHTS = np.linspace(-1, 1, 64, dtype=np.float32)


def many(count: int) -> Net:
    layers = (
        Layer(f"features.{at}.conv", (8, 8), 64, 72, kind="convolution") for at in range(count)
    )
    return Net({}, DENSE, tuple(Profile.of(layer, WEIGHTS) for layer in layers), 0)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Net:
    """The weights of a real net with 195 layers."""
    net = build(f"{write(tmp_path_factory.mktemp('deep'))}:Deep")
    weights = copy_weights(net)
    profiles = (Profile.of(layer, weights[layer.key].numpy()) for layer in prunable_layers(net))
    return Net({}, DENSE, tuple(profiles), 0, digest="deep")


@pytest.mark.parametrize("count", [16, 500])
@pytest.mark.parametrize("size", [(80, 24), (60, 20), (120, 36)])
async def test_the_plot_the_totals_and_the_keys_stay_in_sight(count, size):
    app = FeatherweightApp(Many(net=many(count)))
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        width, height = size
        assert app.main_screen.query_one("#keys").region.bottom == height
        plots = [plot for plot in app.main_screen.query(PlotPanel) if plot.display]
        assert min(plot.inner[1] for plot in plots) >= 5
        assert app.main_screen.max_scroll_y == 0
        for keys in ((), ("end",), ("down",) * 14):
            await pilot.press(*keys)
            await pilot.pause()
            rows = shown(app, "#table").splitlines()
            assert len(rows) == app.main_screen.query_one(LayerTable).inner[1] >= 6
            assert any(row.startswith("▶") for row in rows)
        assert app.state.chosen == 14
        assert width == app.size.width


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_a_long_name_leaves_room_for_the_value_and_keeps_its_number(size):
    names = (f"encoder.layers.encoder_layer_{at}.self_attention.in_proj" for at in range(12))
    layers = (Layer(name, (8, 8), 64, 72, kind="linear") for name in names)
    profiles = tuple(Profile.of(layer, WEIGHTS) for layer in layers)
    app = FeatherweightApp(Many(net=Net({}, DENSE, profiles, 0)))
    async with app.run_test(size=size) as pilot:
        await ready(pilot)
        await pilot.press(*["down"] * 11, "9", "7")
        await pilot.pause()
        line = app.main_screen.query_one(ValueInput)
        assert line.query_one(Input).region.right <= size[0]
        assert "_11.s" in str(line.query(".line--prompt").first().render())
        assert "…" in shown(app, "#table").splitlines()[-1]


def test_large_numbers_keep_their_distance():
    layer = Layer("classifier.0", (4096, 25_088), 102_760_448, 102_764_544)
    magnitudes = np.array([0.1, 0.2], np.float32)
    profile = Profile(layer, magnitudes, magnitudes)
    state = State().with_dense(Net({}, DENSE, (profile,), 0))
    for width in (60, 80, 120):
        head, row = ("".join(s.text for s in line) for line in table(state, width, 3))
        assert len(head) == len(row) <= width
        assert " 102,760,448 " in row


def rows_of(app: FeatherweightApp) -> list[str]:
    """The text of each table row before its bar, without the shape."""
    rows = shown(app, "#table").splitlines()[1:]
    texts = (re.split("[·█▏▎▍▌▋▊▉▒]", row)[0] for row in rows)
    return [" ".join(re.sub(r"\d+(×\d+)+", "", text).split()) for text in texts]


async def test_a_deep_net_opens_folded_and_groups_unfold(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert rows_of(app) == [
            "▶ stem 196", *(f"▸ stage{at} (48) 2,176" for at in range(1, 5)), "▸ head (2) 1,184",
        ]  # fmt: skip
        assert "Space fold" in shown(app, "#keys")
        assert "Space: fold" in shown(app, "#activity")
        await pilot.press("down", "space", "down", "space", "down")
        assert rows_of(app)[1:5] == [
            "▾ stage1 (48) 2,176", "▾ 0 (3) 136", "▶ 0 32", "1 72",
        ]  # fmt: skip
        await pilot.press("space")
        assert rows_of(app)[2] == "▶ ▸ 0 (3) 136"
        await pilot.press("z", "z")
        assert len(app.state.listing.rows) == 195 + 4 + 64 + 1
        assert app.state.listing.row.group == "stage1"
        await pilot.press("z")
        assert len(app.state.listing.rows) == 6


async def test_keys_on_a_group_act_on_all_its_free_layers_in_one_step(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("down", "down", "space", "down", "l", "up")
        rows = shown(app, "#table").splitlines()
        assert rows[3].startswith("▶▫▾ stage2 (48)")
        assert rows[4].startswith(" ▪  ▸ 0 (3)")
        assert rows[5].startswith("│   ▸ 1 (3)")
        inside = [name for name in app.state.layer_names if name.startswith("stage2.")]
        unlocked = inside[3:]

        def planned() -> dict[float, int]:
            found = [app.state.planned[name] for name in unlocked]
            assert all(
                sparsity == 0
                for name, sparsity in app.state.planned.items()
                if name not in unlocked
            )
            return {sparsity: found.count(sparsity) for sparsity in found}

        await pilot.press("right", "right_square_bracket")
        assert planned() == {0.06: 45}
        await pilot.press("9", "0")
        assert "sparsity of stage2 (48) in %" in str(
            app.main_screen.query_one(ValueInput).query(".line--prompt").first().render()
        )
        await pilot.press("enter")
        assert planned() == {0.9: 45}
        assert "45 layers set to 90.00 %" in shown(app, "#activity")
        assert "locked layers unchanged" in shown(app, "#activity")
        await pilot.press("u")
        assert planned() == {0.06: 45}
        await pilot.press("backspace")
        assert planned() == {0.0: 45}
        await pilot.press("u", "u", "u")
        assert app.state.untouched
        assert not app.state.past
        await pilot.press("l")
        assert app.state.locked == set(inside)
        for key in ("right", "9", "backspace"):
            await pilot.press(key)
            assert not app.session.typing
            assert "all layers of stage2 (48) are locked" in shown(app, "#activity")
        await pilot.press("l")
        assert not app.state.locked


async def test_the_mouse_folds_a_group_sets_it_by_its_bar_and_nudges_it(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.click(LayerTable, offset=(6, 3))
        assert app.state.listing.row.group == "stage1"
        assert "stage1" not in app.state.listing.folded
        await pilot.click(LayerTable, offset=(6, 3))
        assert "stage1" in app.state.listing.folded
        bar = shown(app, "#table").splitlines()[3].index("·")
        await pilot.click(LayerTable, offset=(bar, 4))
        app.main_screen.query_one(LayerTable).post_message(LayerTable.MouseAction(2, steps=3))
        await pilot.pause()
        values = {app.state.planned[f"stage2.{at}.0"] for at in range(16)}
        assert values == {0.03}
        assert app.state.listing.row.group == "stage2"
        assert "stage2" in app.state.listing.folded


async def test_layers_are_filtered_while_typing(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        line = app.main_screen.query_one(FindInput)

        def hint() -> str:
            return str(line.query(".line--hint").first().render())

        await pilot.press("slash", *"stage3.1")
        assert "21 of 195" in hint()
        await pilot.press("space", *"depth")
        await pilot.pause()
        assert "7 of 195" in hint()
        assert rows_of(app)[0].startswith("▾ /stage3.1 dep… (7)")
        assert rows_of(app)[1].startswith("▶ stage3.1.1 72")
        assert "/stage3.1 depth: 7 of 195 layers" in shown(app, "#title")
        await pilot.press("x", "x", "enter")
        assert "no match" in hint()
        assert 'no layers match "stage3.1 depthxx"' in shown(app, "#table")
        assert app.session.typing
        await pilot.press("backspace", "backspace", "enter")
        assert not app.session.typing
        assert rows_of(app)[0].startswith("▶ ▾ /stage3.1 dep… (7)")
        assert "keys act on the 7 layers found" in shown(app, "#activity")
        await pilot.press("down", "5", "0", "enter", "equals_sign")
        found = [name for name, sparsity in app.state.planned.items() if sparsity]
        assert found == ["stage3.1.1", *(f"stage3.{at}.1" for at in range(10, 16))]
        assert "7 layers set to 50.00 %" in shown(app, "#activity")
        await pilot.press("u", "up", "right", "u")
        assert app.state.listing.filter == "stage3.1 depth"
        assert [app.state.planned[name] for name in found] == [0.5, *[0.0] * 6]
        await pilot.press("escape")
        assert not app.state.listing.filter
        assert "7 of 195" not in shown(app, "#title")
        assert app.state.listing.row.group == "stage3"


@pytest.mark.parametrize("place", [0, 100])
async def test_enter_selects_the_layers_found_in_sight(deep, place):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(60, 20)) as pilot:
        await ready(pilot)
        await pilot.press("z")
        app.session.show(app.state.choose(place))
        await pilot.press("slash")
        line = app.main_screen.query_one(FindInput)
        line.query_one(Input).value = "3x3"
        line.take("3x3")  # Enter may come before the list follows what is typed
        await pilot.pause()
        assert (app.session.typing, app.state.listing.filter) == (False, "3x3")
        assert rows_of(app)[0].startswith("▶ ▾ /3x3 (64)")
        await pilot.press("8", "5", "enter")
        assert sum(sparsity == 0.85 for sparsity in app.state.planned.values()) == 64


async def test_the_group_of_rows_whose_heading_is_out_of_sight_is_in_the_header(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        assert shown(app, "#table").split()[0] == "layer"
        await pilot.press("down", "space", *["down"] * 12)
        assert shown(app, "#table").startswith("  in stage1 ")


async def test_closing_the_layer_search_keeps_only_a_filter_that_matches(deep):
    app = FeatherweightApp(Many(net=deep))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        before = app.state.listing
        await pilot.press("slash", *"head", "escape")
        assert app.state.listing == before
        await pilot.press("slash", *"zzz", "tab")
        await pilot.pause()
        assert (app.state.listing, app.session.typing) == (before, False)
        await pilot.press("slash", *"head", "tab")
        await pilot.pause()
        assert (app.state.listing.filter, app.session.typing) == ("head", False)
        await pilot.press("slash", "escape")
        assert (app.state.listing.filter, app.state.listing.row.group) == ("", "head")


async def test_escape_lists_all_layers_before_it_asks_to_stop_a_job(deep):
    backend = Many(net=deep, pause_at=60)
    app = FeatherweightApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("f")
        await until(pilot, lambda _: backend.paused.is_set())
        await pilot.press("asterisk", "escape")
        assert not app.state.listing.filter
        assert not app.job.stopping
        await pilot.press("escape", "y")
        assert app.job.stopping
        backend.go.set()
        await until(pilot, lambda app: app.job is None)


async def test_one_key_lists_all_layers_of_the_same_kind(app):
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press("down", "l", "down", "asterisk")
        assert "/convolution: 3 of 5 layers" in shown(app, "#title")
        assert "keys act on the 3 layers of this kind" in shown(app, "#activity")
        assert rows_of(app) == [
            "▶▫▾ /convolution (3) 77,600", "│ conv1 800", "▪ conv2 25,600", "│ conv3 51,200",
        ]  # fmt: skip
        await pilot.press("8", "0", "enter")
        sparsities = {"conv1": 0.8, "conv2": 0.0, "conv3": 0.8, "fc1": 0.0, "fc2": 0.0}
        assert app.state.planned == sparsities
        await pilot.press("asterisk")
        assert (app.state.listing.filter, app.state.chosen) == ("", 2)
        await pilot.press("down", "asterisk", "right")
        assert app.state.planned == {**sparsities, "fc1": 0.01, "fc2": 0.01}
        await pilot.press("u", "u")
        assert app.state.untouched


def test_a_key_recomputes_only_the_layers_it_changes():
    """A key costs the same however many layers there are."""
    state = State().with_dense(many(500)).choose(3)
    state = state.set_plan(dict.fromkeys(state.layer_names, 0.5))
    before, moved = state.what_ifs, state.nudge(1)
    same = [old is new for old, new in zip(before, moved.what_ifs, strict=True)]
    assert same == [at != 3 for at in range(500)]
    assert len(table(moved, 80, 8)) == 8


@pytest.mark.parametrize("name", ["histogram", "parameters", "size", "costs", "sensitivity"])
@pytest.mark.parametrize("size", [(60, 5), (80, 12), (160, 40)])
def test_plots_of_500_layers_fill_exactly_their_area(name, size):
    net = many(500)
    points = tuple(Point(sparsity, 4_000, 5_000) for sparsity in SPARSITIES)
    curves = {profile.layer.name: points for profile in net.profiles}
    scan = Scan("validation", 5_000, curves, (), "fp32", True, False)
    state = State().with_dense(net).choose(250).nudge(50).with_scan(net.digest, scan)
    lines = PLOTS[name].draw(state, *size)
    assert len(lines) == size[1]
    assert {sum(len(span.text) for span in line) for line in lines} == {size[0]}
    assert "250.conv" in "".join(span.text for line in lines for span in line)


def test_the_table_of_a_deep_net_fits_its_width(deep):
    state = State().with_dense(deep)
    state = replace(state, listing=state.listing.fold_all()).choose(60).nudge(33)
    for width in (60, 80, 120, 200):
        lines = ["".join(span.text for span in line) for line in table(state, width, 20)]
        assert len(lines) == 20
        assert len(set(map(len, lines))) == 1
        assert len(lines[0]) <= width
