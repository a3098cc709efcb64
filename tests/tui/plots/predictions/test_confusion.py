"""Which classes are predicted as which."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.class_names import CLASS_NAMES
from tests.tui.plots.checks import assert_exact, inked, names, sizes, text
from tui.plots.predictions import confusion
from tui.plots.predictions.confusion import ConfusionData
from tui.plots.view import View


def confused(classes: int = 10) -> ConfusionData:
    dense = np.eye(classes, dtype=int) * 90
    dense[4, 9], dense[7, 1] = 3, 4
    pruned = dense.copy()
    pruned[4, 9], pruned[7, 1], pruned[2, 3], pruned[2, 2] = 17, 2, 8, 82
    return ConfusionData(tuple(map(str, range(classes))), dense, pruned, "test images", 10_000)


def test_little_room_ranks_the_confusions_pruning_increased():
    lines = confusion.draw(confused(), 80, 9)
    shown = text(lines)
    assert shown[0].startswith("Confusion · pruned: 27 wrong of 10,000 test images · dense: 7")
    assert shown[2].startswith("4 → 9 ░")
    assert "3 → 17" in shown[2]
    assert shown[3].startswith("2 → 3 █")
    assert "0 →  8" in shown[3]
    assert not any("7 → 1" in line for line in shown)
    assert "2 100.0 →  91.1" in shown[4]


def test_a_bar_is_as_long_as_its_number():
    lines = text(confusion.draw(confused(), 80, 9))
    most, half = (sum(char in "░▏▎▍▌▋▊▉█" for char in line) for line in lines[2:4])
    assert half == pytest.approx(most * 8 / 17, abs=1)


def test_with_more_room_there_is_a_matrix():
    lines = confusion.draw(confused(), 120, 14)
    shown = text(lines)
    assert shown[2].split()[:11] == [*"0123456789", "recall"]
    assert "17↑" in shown[7]
    assert "17↑" in inked(lines, "heat-far")
    assert "8↑" in inked(lines, "heat-over")
    assert "2↓" in shown[10]
    assert "2↓" in inked(lines, "heat-over")
    assert "4 → 9" in shown[3]
    assert "91%" in shown[5]


def test_names_of_classes_are_cut_to_the_cells_they_have():
    named = replace(confused(), classes=CLASS_NAMES["fashion-mnist"])
    wide, narrow = (text(confusion.draw(named, *area)) for area in ((120, 14), (56, 24)))
    assert wide[2].split()[:4] == ["T-sh", "Trou", "Pull", "Dres"]
    assert wide[3].startswith("T-shirt/top  100%")
    assert "Coat → Ankle boot ░" in wide[3]
    assert narrow[2].split()[:4] == ["T-", "Tr", "Pu", "Dr"]
    listed = text(confusion.draw(named, 30, 6))
    assert listed[1].startswith("Coat → Ankle bo…")
    assert listed[1].rstrip().endswith("3 → 17"), "a number is never cut"
    alike = replace(named, classes=tuple(f"n0208 dog {n}" for n in "abcdefghij"))
    assert text(confusion.draw(alike, 120, 14))[2].split()[:2] == ["n0…a", "n0…b"]


def test_more_classes_are_a_heat_map_of_shades():
    lines = confusion.draw(confused(20), 110, 26)
    assert "▓" in inked(lines, "heat-over")
    assert "█" in inked(lines, "heat-far")
    assert "▓ 2 %+" in text(lines)[1]


def test_the_cursor_marks_a_cell_of_the_matrix():
    lines = confusion.draw(confused(), 120, 14, view=View(row=49))
    assert inked(lines, "cursor").split() == ["9", "4", "17↑"]
    readout = confusion.table(confused()).readout(49, 0)
    assert "".join(span.text for span in readout) == (
        "true 4 predicted 9  dense 3 images  pruned 17 images"
    )


def test_many_classes_are_always_a_list():
    shown = text(confusion.draw(confused(100), 200, 60))
    assert shown[2].startswith("4  → 9") or shown[2].startswith("4 → 9")
    assert "↑" not in "".join(shown)


@pytest.mark.parametrize("name", ["dense", "pruned"])
def test_one_net_alone_is_not_compared(name):
    data = replace(confused(), **{"pruned" if name == "dense" else "dense": None})
    for area in ((80, 9), (120, 14)):
        shown = text(confusion.draw(data, *area))
        assert shown[0].startswith(
            f"Confusion · {name}: {7 if name == 'dense' else 27} wrong of 10,000"
        )
        assert "↑" not in "".join(shown)


def test_without_counts_there_is_a_hint():
    data = ConfusionData(("a", "b"), None, np.zeros((3, 3)))
    assert "press x" in "".join(text(confusion.draw(data, 80, 9, hint="press x")))


@settings(max_examples=50)
@given(
    area=sizes,
    classes=st.lists(names, max_size=12).map(tuple),
    seed=st.integers(0, 99),
    scale=st.sampled_from([0, 1, 50, 10**6, math.nan, 1e300]),
    known=st.tuples(st.booleans(), st.booleans()),
)
def test_no_confusions_fail(area, classes, seed, scale, known):
    random = np.random.default_rng(seed)
    counts = [random.random((len(classes),) * 2) * scale if there else None for there in known]
    assert_exact(confusion.draw(ConfusionData(classes, *counts, "test images", 0), *area), *area)
