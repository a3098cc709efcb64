"""Layer times in the cache: stored, read, and refused where they are damaged or of another net."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torch import nn

from core.events import Notice, drain
from core.inference.saved_times import load_times, save_times, times_of
from core.nets.layers import prunable_layers
from core.pruning.budgets.costs import LayerCosts, NetCosts

NET = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2))
LAYERS = prunable_layers(NET)
COSTS = NetCosts(
    "ns",
    {"0": LayerCosts((0, 4, 8), (100.5, 100.5, 900.0)), "2": LayerCosts((0, 4), (0.0, 0.0))},
    -20.25,
)


def test_times_are_read_as_stored(empty_cache: Path) -> None:
    what = times_of(NET, "mine", (1, 2, 2), 1)
    assert load_times(what, LAYERS) is None
    drain(save_times(what, COSTS))
    assert load_times(what, LAYERS) == COSTS
    assert len(list(empty_cache.rglob("*.json"))) == 1


def test_every_net_image_and_number_of_threads_has_times_of_its_own() -> None:
    other = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2, bias=False))
    names = {
        times_of(NET, "mine", (1, 2, 2), 1),
        times_of(NET, "mine", (1, 2, 2), 2),
        times_of(NET, "mine", (3, 2, 2), 1),
        times_of(NET, "other", (1, 2, 2), 1),
        times_of(other, "mine", (1, 2, 2), 1),
    }
    assert len(names) == 5


@pytest.mark.parametrize(
    "damage",
    [
        {"what": "of another net"},
        {"rest": "slow"},
        {"layers": {"0": {"kept": [0, 8], "ns": [1, 2]}}},
        {"layers": {"0": {"kept": [0, 9], "ns": [1, 2]}, "2": {"kept": [0, 4], "ns": [0, 0]}}},
        {"layers": {"0": {"kept": [0, 8], "ns": [2, 1]}, "2": {"kept": [0, 4], "ns": [0, 0]}}},
        {"layers": {"0": {"kept": [0, 8], "ns": [1]}, "2": {"kept": [0, 4], "ns": [0, 0]}}},
        {"layers": {"0": {"kept": [], "ns": []}, "2": {"kept": [0, 4], "ns": [0, 0]}}},
        {"layers": {"0": {"kept": [0, 8], "ns": [1, 1e999]}, "2": {"kept": [0, 4], "ns": [0, 0]}}},
    ],
)
def test_times_that_do_not_fit_are_measured_again(
    damage: dict[str, object], empty_cache: Path
) -> None:
    what = times_of(NET, "mine", (1, 2, 2), 1)
    drain(save_times(what, COSTS))
    (file,) = empty_cache.rglob("*.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    assert load_times(what, LAYERS) is None


def test_a_cache_that_cannot_be_written_is_a_warning(empty_cache: Path) -> None:
    empty_cache.parent.mkdir(parents=True)
    empty_cache.write_text("a file where the folder should be")
    said: list[object] = []
    drain(save_times("this net", COSTS), said.append)
    assert [type(event) for event in said] == [Notice]
