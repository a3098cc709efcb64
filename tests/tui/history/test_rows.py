"""Runs as rows: read without trust, sorted, compared, written in lines that fit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.experiments.run_record import read_record
from core.experiments.runs import DONE, FINISHED, INTERRUPTED, RUNNING, UNREADABLE, Run
from tests.tui.history.histories import AGGRESSIVE, course, outcome, tuning
from tests.tui.plots.checks import assert_exact
from tui.keys.history_keys import KEYS
from tui.state.run_list import RunList
from tui.state.run_rows import (
    SORT_KEYS,
    RunRow,
    differences,
    fronts,
    layer_pairs,
    sort_rows,
    why_incomparable,
)
from tui.text.lines import Lines
from tui.views.history import about, failure, hint, hint_lines, shorten_middle, title, welcome
from tui.views.run_comparison import sparsities
from tui.views.run_plots import lower_half
from tui.views.run_table import columns, ratio, scrolled, sortable, table, when

STATUSES = (*FINISHED, INTERRUPTED, RUNNING, UNREADABLE)
WIDTHS = (40, 60, 80, 120, 200)
FOLDER = Path("/somewhere/far away/in the data folder/experiments/cnn5-mnist")


def run(number: int = 1, status: str = DONE, note: str = "", **facts: Any) -> Run:
    problem = "run.json is missing" if status == UNREADABLE else None
    record, faults = read_record(facts, "run.json")
    folder = FOLDER / f"{number:04d}"
    return Run(folder.name, folder, status, record, note, problem, faults=faults)


def row(number: int = 1, status: str = DONE, note: str = "", **facts: Any) -> RunRow:
    return RunRow.of(run(number, status, note, **facts))


def tuned(number: int, ratio: float, validation: float, **more: Any) -> RunRow:
    facts = {**tuning(AGGRESSIVE), **outcome(validation, validation + 0.05), "ratio": ratio, **more}
    return row(number, **facts)


def width_of(lines: Lines) -> int:
    return max((sum(len(span.text) for span in line) for line in lines), default=0)


def flat(lines: Lines) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


# Reading


def test_a_fine_tuning_is_read():
    facts = {**tuning(AGGRESSIVE), **outcome(99.3, 99.31), "created": "2026-11-20T09:07:00Z"}
    read = row(7, **facts)
    assert (read.id, read.kind, read.recipe_and_method) == ("0007", "fine-tune", "fast gradual")
    assert read.created == datetime(2026, 11, 20, 9, 7, tzinfo=UTC)
    assert (read.ratio, read.record.nonzero) == (36.88, 6183)
    assert (read.score("validation"), read.score("test")) == (99.3, 99.31)
    assert read.gain("validation") == pytest.approx(0.12)
    assert read.gain("test") == pytest.approx(-0.10)
    assert (len(read.epochs), read.planned, read.record.best) == (5, 5, 5)
    assert [(layer.name, layer.sparsity) for layer in read.layers] == list(AGGRESSIVE.items())
    assert read.openable


def test_a_training_is_read():
    accuracy = {"dense": {"validation": 99.18, "test": 99.41}}
    training = {"epochs": 6, "optimizer": "adamw"}
    read = row(kind="train", training=training, accuracy=accuracy, epochs=course(99.18, epochs=6))
    assert (read.kind, read.score("validation"), read.gain("validation")) == ("train", 99.18, None)
    assert (read.planned, row(kind="train", recipe="fast").planned) == (6, None)


def test_a_trial_on_the_way_to_the_lightest_net_says_which():
    assert row(kind="finetune", lightest={"trial": 3, "least": 99.1}).kind == "trial 3"


def test_all_rounds_count_as_planned():
    assert row(finetuning={"epochs": 5, "rounds": 3}).planned == 15


@pytest.mark.parametrize(
    ("facts", "resumable"),
    [
        ({"kind": "train"}, True),
        ({"kind": "train", "state": {"round": 1}, "epochs": course(99)}, True),
        ({"kind": "train", "state": {}, "epochs": course(99)}, False),
        ({"kind": "train", "state": "1", "epochs": course(99)}, False),
        ({"state": {"round": 1}}, False),
        ({}, False),
    ],
)
def test_a_run_with_epochs_needs_a_checkpoint_to_be_resumed(facts, resumable):
    assert row(1, INTERRUPTED, **facts).openable is resumable
    assert not row(1, RUNNING, **facts).openable


@pytest.mark.parametrize(
    "odd",
    [None, True, "7", -1, 1e300, 10**400, float("nan"), float("inf"), [], {}, [7], {"run": 7}],
    ids=repr,
)
def test_odd_values_of_a_run_are_not_shown(odd):
    names = ("model", "kind", "created", "ratio", "nonzero", "accuracy", "epochs", "finetuning")
    more = ("base", "layers", "best", "choices", "lightest", "state", "precision", "parameters")
    read = row(**dict.fromkeys((*names, *more), odd))
    record = read.record
    numbers = (read.ratio, record.nonzero, record.best, read.planned, record.created, read.created)
    assert numbers == (None,) * 6
    assert (read.accuracy, read.epochs, read.layers) == (None, (), ())
    assert odd in (None, [], {}) or read.damage.startswith("damaged: run.json: ")


def test_invalid_items_of_a_list_are_dropped():
    epochs = [7, None, {"epoch": 2, "validation": 101}, {"epoch": 1, "validation": 98.5}, {}]
    layers = [{"name": ""}, {"name": "fc", "sparsity": 2, "kept": -1}, "fc", {"name": "fc"}]
    read = row(epochs=epochs, layers=layers)
    assert read.epochs == ((1, 98.5), (2, None))
    assert [(layer.name, layer.sparsity, layer.kept) for layer in read.layers] == [
        ("fc", None, None)
    ]


def test_a_ratio_that_is_missing_follows_from_the_counts():
    assert row(parameters=1000, nonzero=10).ratio == 100
    assert row(parameters=1000, nonzero=0).ratio is None


good = {**tuning(AGGRESSIVE), **outcome(99.3, 99.31)}
inside = ("validation", "test", "dense", "epoch", "name", "elements", "sparsity", "kept", "method")
more = ("kind", "created", "lightest", "trial", "state", "choices", "rounds", "run", "best")
names = st.sampled_from(sorted({*good, *inside, *more}))
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["finetune", "train", "0001", "2026-11-20T09:07:00Z", "cnn5", 10**400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=20,
)
fact_sets = st.dictionaries(names, anything, max_size=8)
mixed = st.builds(lambda odd: {**good, **odd}, fact_sets)
some_runs = st.lists(
    st.tuples(fact_sets | mixed, st.sampled_from(STATUSES), st.text(max_size=60)), max_size=4
)


@settings(max_examples=30)
@given(some_runs, st.sampled_from(WIDTHS), st.integers(0, 24), st.data())
def test_any_runs_fit_the_screen(found, width, height, data):
    rows = [row(at, status, note, **facts) for at, (facts, status, note) in enumerate(found, 1)]
    run_list = RunList().read(rows)
    for key in data.draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=6)):
        run_list = CHANGES[key](run_list, width)
    texts = [
        title(run_list, FOLDER, width),
        table(run_list, "0002", width, max(2, height), scrolled(run_list, height, 1)),
        hint_lines(hint(run_list, "0001"), width, 3),
        lower_half(run_list, 99.2, {}, width, height),
    ]
    if run_list.selected:
        texts.append(about(run_list.selected, "0001", width, 2))
        assert len(texts[-1]) <= 2
    assert all(width_of(text) <= width for text in texts)
    assert len(texts[3]) <= height


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 2, 3])
def test_details_that_do_not_fit_are_left_out_as_a_whole(width: int, height: int):
    facts = {"created": "2026-11-20T09:07:00Z", "seed": 0, "precision": "bf16"}
    one = tuned(7, 36.88, 99.3, **facts)
    whole = flat(about(one, "0007", 400, 1))
    said = " ".join(flat(about(one, "0007", width, height)).split())
    assert "…" not in said
    assert set(said.partition(" ")[2].split(" · ")) <= set(whole.strip()[6:].split(" · "))
    assert "on the main screen" in said
    assert ("6,183 of 228,010 parameters" in said) == (height > 1 or width > 60)
    assert ("bf16" in said) == (width * height > 160)


# Looking through them

CHANGES: dict[str, Any] = {
    "up": lambda run_list, _: run_list.move(-1),
    "down": lambda run_list, _: run_list.move(1),
    "end": lambda run_list, _: run_list.to(99),
    "sort": lambda run_list, width: run_list.sort_by_next(sortable(run_list, width)),
    "round": lambda run_list, _: run_list.reverse(),
    "mark": lambda run_list, _: run_list.mark(),
    "view": lambda run_list, _: run_list.next_view(),
    "layer": lambda run_list, _: run_list.choose_layer(1),
    "forget": lambda run_list, _: run_list.read((run_list.rows or ())[1:]),
}


@settings(max_examples=30)
@given(st.integers(0, 6), st.lists(st.sampled_from(sorted(CHANGES)), max_size=12))
@example(3, ["mark", "forget", "down", "forget", "view"])
def test_any_keys_leave_a_run_selected(count, pressed):
    run_list = RunList().read(tuned(at, 10 * at, 99.0) for at in range(1, count + 1))
    for key in pressed:
        before = {run.id for run in run_list.rows or ()}
        run_list = CHANGES[key](run_list, 80)
        after = {run.id for run in run_list.rows or ()}
        assert after == before or key == "forget"
        assert (run_list.selected is None) == (not after)
        assert run_list.at in after or not after
        assert run_list.marked in {"", *after}
        assert run_list.compared is None or run_list.compared.id == run_list.marked
        assert 0 <= run_list.layer_at < max(1, len(run_list.layers))


def test_every_column_sorts_and_what_is_missing_comes_last():
    rows = [tuned(1, 12, 99.3), row(2), tuned(3, 90, 98.5), tuned(4, 12, 99.0), row(5)]
    for column in SORT_KEYS:
        for descending in (True, False):
            found = sort_rows(rows, column, descending, "validation")
            key = [SORT_KEYS[column](row, "validation") for row in found]
            known = [value for value in key if value is not None]
            assert key[: len(known)] == known
            assert known == sorted(known, reverse=descending)
    by_ratio = [row.id for row in sort_rows(rows, "ratio", False, "validation")]
    assert by_ratio == ["0004", "0001", "0003", "0005", "0002"]


def test_sorting_goes_through_the_columns_that_show():
    run_list = RunList().read([tuned(1, 12, 99.3), tuned(2, 90, 98.5)])
    shown = sortable(run_list, 60)
    assert shown == ("run", "ratio", "validation", "test", "note")
    seen = []
    for _ in shown:
        run_list = run_list.sort_by_next(shown)
        seen.append(run_list.column)
    assert tuple(seen) == (*shown[1:], "run")
    assert [run.id for run in run_list.rows] == ["0002", "0001"]
    assert sortable(run_list, 40)[:2] == ("run", "ratio")


def test_after_a_deletion_a_neighbor_is_selected():
    rows = [tuned(at, 10, 99) for at in (1, 2, 3)]
    run_list = RunList().read(rows).move(1)
    assert run_list.at == "0002"
    assert run_list.read([rows[0], rows[2]]).at == "0001"
    assert run_list.move(1).read(rows[1:]).at == "0002"
    assert run_list.read([]).selected is None


def test_each_group_of_runs_has_its_own_front():
    other = tuned(3, 20, 90.0, model="lenet300")
    rows = [tuned(1, 12, 99.3), tuned(2, 10, 99.2), other, row(4)]
    assert fronts(rows, "validation") == {"0001", "0003"}


def test_runs_are_compared_by_what_they_record():
    one, other = tuned(1, 12, 99.3), tuned(2, 30, 99.1, seed=1, recipe="reference")
    assert why_incomparable(one) == ""
    assert "cannot be read" in why_incomparable(row(3, UNREADABLE))
    assert "nothing" in why_incomparable(row(3))
    assert differences(one, other) == (("recipe", "fast", "reference"), ("seed", "0", "1"))
    assert differences(one, one) == ()
    layers = [{"name": "fc1", "sparsity": 0.5}, {"name": "new", "sparsity": 0.1}]
    pairs = layer_pairs(one, row(3, layers=layers))
    assert [mine.name for mine, _ in pairs] == [*AGGRESSIVE, "new"]
    assert pairs[0][1].sparsity is None
    assert (pairs[3][1].sparsity, pairs[5][0].sparsity) == (0.5, None)


# In lines


def test_columns_give_way_to_narrow_screens():
    run_list = RunList().read([tuned(1, 12, 99.3)])
    shown = {width: [column.name for column in columns(run_list, width)] for width in WIDTHS}
    assert shown[60] == ["ratio", "validation", "test"]
    assert shown[80] == ["kind", "ratio", "validation", "test", "vs. dense"]
    assert {"when", "nonzero", "epochs"} < set(shown[120])
    assert len(shown[200]) == 10


@pytest.mark.parametrize("width", WIDTHS)
def test_accuracies_on_few_images_carry_their_intervals(width):
    few = tuned(1, 8.0, 80.75, split_sizes={"validation": 78, "test": 1_500})
    many = tuned(2, 8.0, 80.75, split_sizes={"validation": 5_000, "test": 10_000})
    run_list = RunList().read([few, many])
    lines = table(run_list, None, width, 3)
    assert width_of(lines) <= width
    texts = {"validation": ("80.75", "81 ±9"), "test": ("80.80", "81 ±2")}
    for column, expected in texts.items():
        for text in expected:
            assert (text in flat(lines)) == (column in sortable(run_list, width))


def test_the_table_scrolls_no_more_than_it_has_to():
    run_list, top, tops = RunList().read(tuned(at, 10, 99) for at in range(1, 40)), 0, []
    for index in (0, 6, 7, 8, 5, 1, 38, 30, 0):
        run_list = run_list.to(index)
        top = scrolled(run_list, 8, top)
        tops.append(top)
        lines = flat(table(run_list, None, 80, 8, top)).splitlines()
        assert len(lines) == 8
        assert sum("▶" in line for line in lines) == 1
    assert tops == [0, 0, 1, 2, 2, 1, 32, 30, 0]


def test_a_bar_shows_both_sparsities():
    one, other = tuned(1, 12, 99.3), tuned(2, 30, 99.1)
    lines = flat(sparsities(one, other, layer_pairs(one, other), 1, 80, 11)).splitlines()
    assert lines[1].split()[:3] == ["◉", "0001", "12.00x"]
    assert [line.split()[0] for line in lines[5:10]] == ["conv1", "▸", "conv3", "fc1", "fc2"]
    assert "98.00   98.00   +0.00     1,024     1,024" in lines[7]


@pytest.mark.parametrize("height", range(1, 14))
def test_layers_around_the_chosen_one_show(height):
    plan = {f"layer{at}": 0.9 for at in range(20)}
    one = row(1, **tuning(plan, dict.fromkeys(plan, (10, 10))))
    lines = sparsities(one, one, layer_pairs(one, one), 15, 80, height)
    assert len(lines) <= height
    assert height < 5 or "▸ layer15" in flat(lines)


def test_times_are_short():
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert when(None) == "–"
    assert when(now - timedelta(hours=3), now) == "today 09:00"
    assert when(now - timedelta(days=20), now) == "Nov  4 12:00"
    assert when(now - timedelta(days=400), now) == "2025-10-20"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (36.878, "36.88x"), (104.16, "104.2x"), (12345.6, "12,346x"), (1, "1.00x")],
)
def test_ratios_have_the_digits_that_say_something(value, text):
    assert ratio(value) == text


@given(st.integers(0, 70))
def test_a_path_loses_its_middle(width):
    path = str(FOLDER)
    text = shorten_middle(path, FOLDER.name, width)
    assert len(text) <= max(width, 0)
    assert width < 12 or text.endswith("/cnn5-mnist")


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (row(1), "Enter: continue from this net"),
        (row(1, kind="train"), "Enter: continue from this dense net"),
        (row(2), "Enter: continue from this net (now on the main screen)"),
        (row(1, UNREADABLE), "unreadable: press Delete to delete it"),
        (row(1, RUNNING), "still running: you can open it once it finishes"),
        (row(1, INTERRUPTED),
         "interrupted, and its checkpoint is damaged: press Delete to delete it"),
        (row(1, INTERRUPTED, kind="train"),
         "Enter: start over; it was interrupted in its first epoch"),
        (row(1, INTERRUPTED, kind="finetune", state={"a": 1}, epochs=course(99, epochs=3)),
         "Enter: resume at epoch 4"),
        (row(1, INTERRUPTED, kind="finetune", state={"a": 1}, epochs=course(99, epochs=3),
             finetuning={"epochs": 5}), "Enter: resume at epoch 4 of 5"),
        (row(1, INTERRUPTED, kind="finetune", state={"a": 1}, epochs=course(99),
             finetuning={"epochs": 5}),
         "Enter: resume; all epochs are done, only measuring is left"),
    ],
)  # fmt: skip
def test_the_line_of_keys_says_what_enter_does(read, says):
    assert hint(RunList().read([read]), "0002").text == says


@pytest.mark.parametrize("size", [(20, 4), (40, 8), (60, 9), (120, 30)])
def test_texts_in_place_of_runs_fit(size):
    for draw in (welcome(FOLDER, *size), failure("a long story " * 9, *size)):
        assert len(draw) <= size[1]
        assert width_of(draw) <= max(size[0], 14)


@pytest.mark.parametrize("kind", ["own", "others"])
def test_accuracies_of_other_nets_are_left_out_of_the_plot(kind):
    rows = [tuned(1, 12, 99.3), tuned(2, 30, 99.2), tuned(3, 20, 90.0, model="lenet300")]
    run_list = RunList().read(rows).to(0 if kind == "others" else 1)
    lines = lower_half(run_list, 99.2, {}, 80, 11)
    assert_exact(lines, 80, 11)
    text = flat(lines)
    assert ("0003" in text, "0001" in text) == (kind == "others", kind == "own")
    assert ("lenet300 on mnist" in text, "cnn5 on mnist" in text) == (
        "0003" in text,
        "0001" in text,
    )


def test_every_key_is_explained_once():
    pressed = [name for key in KEYS for name in key.keys.split(",")]
    assert len(pressed) == len(set(pressed))
    assert all(key.tooltip for key in KEYS)


def test_a_reconstructed_run_says_every_state_it_went_through() -> None:
    accuracy = {
        stage: {"validation": 99.0 - at, "test": 98.5 - at}
        for at, stage in enumerate(("dense", "finetuned", "reconstructed", "pruned"))
    }
    made = {"images": 4_000, "seed": 0}
    whole = tuned(1, 36.9, 98.0, accuracy=accuracy, reconstruction=made)
    states = "test dense 98.50, pruned 95.50, reconstructed 96.50, fine-tuned 97.50"
    assert states in " ".join(flat(about(whole, None, 120, 4)).split())
    del accuracy["finetuned"]
    only = row(2, kind="prune", ratio=36.9, accuracy=accuracy, reconstruction=made, recipe="fast")
    assert (only.kind, only.recipe, only.score("test")) == ("reconstruct", None, 96.5)
    del accuracy["reconstructed"]
    shot = row(3, kind="prune", ratio=36.9, accuracy=accuracy)
    assert (shot.kind, shot.score("test")) == ("prune", 95.5)
    assert ("reconstructed", "yes", "no") in differences(whole, shot)
