"""Lists of values and the trials they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.executors.tasks import Task, on_worker, plain_settings, settings_from
from core.executors.work.packing import Packing
from core.pruning.goals import Goal
from core.settings.settings import DEFAULTS, Settings
from core.sweep.choices import PlanAxes, PlanChoice
from core.sweep.grid import MOST_TRIALS, Grid, distinct

RATIOS = (Goal("ratio", 10.0), Goal("ratio", 20.0))


def of(given: Mapping[str, Any]) -> Settings:
    return Settings.of(given)


def lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=4, unique=True).map(tuple)


@given(
    st.fixed_dictionaries(
        {}, optional={"seed": lists(st.integers(0, 9)), "epochs": lists(st.integers(1, 9))}
    ),
    lists(st.sampled_from(["lamp", "erk", "magnitude", "uniform"])),
)
def test_a_grid_has_every_combination_once(
    axes: dict[str, tuple[Any, ...]], methods: tuple[str, ...]
) -> None:
    grid = Grid(PlanAxes(RATIOS, methods), axes)
    trials = grid.trials(of)
    assert len(trials) == 2 * len(methods) * prod(map(len, axes.values()))
    assert len({(str(t.choice), repr(t.settings)) for t in trials}) == len(trials)
    assert [trial.number for trial in trials] == [*range(1, len(trials) + 1)]
    seeds = len(axes.get("seed", (0,)))
    assert all(len({t.group for t in trials[i : i + seeds]}) == 1 for i in (0, len(trials) - seeds))
    assert f"{len(trials):,} trial" in grid.count_text()


def test_trials_are_named_by_what_differs() -> None:
    grid = Grid(PlanAxes(RATIOS), {"lr": (0.001, 0.002), "epochs": (3,), "seed": (0, 1)})
    names = dict.fromkeys(trial.group for trial in grid.trials(of))
    assert list(names)[:2] == ["10x lamp, lr 0.001", "10x lamp, lr 0.002"]
    assert grid.count_text() == "8 trials: 2 plans x 2 values of learning rate x 2 seeds"


def test_every_kind_of_choice_is_a_plan_of_its_own() -> None:
    sparsities = {"conv2": (0.8, 0.9), "fc1": (0.5,)}
    axes = PlanAxes(RATIOS[:1], ("lamp", "erk"), (0.9,), ("aggressive",), sparsities)
    assert [str(choice) for choice in axes.choices()] == [
        *("10x lamp", "10x erk", "uniform 0.9", "aggressive"),
        *("conv2=0.8,fc1=0.5", "conv2=0.9,fc1=0.5"),
    ]
    last = axes.choices()[-1].plan("cnn5", ["conv1", "conv2", "fc1"])
    assert last == {"conv1": 0.0, "conv2": 0.9, "fc1": 0.5}
    assert PlanChoice(goal=RATIOS[0], method="lamp").plan("cnn5", ["conv1"]) is None


def test_options_replace_the_plans_of_a_file() -> None:
    of_file = Grid(PlanAxes(presets=("aggressive",), methods=()), {"seed": (0, 1), "epochs": (2,)})
    options = Grid(PlanAxes(RATIOS, ("erk",)), {"seed": (5,)})
    both = options.over(of_file)
    assert both.plans == PlanAxes(RATIOS, ("erk",))
    assert both.axes == {"seed": (5,), "epochs": (2,)}


def test_lists_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="needs a goal"):
        PlanAxes(methods=("erk",)).choices()
    with pytest.raises(InputError, match="given twice"):
        distinct((1, 2, 1), "seed")
    with pytest.raises(InputError, match="empty list"):
        distinct((), "seed")
    with pytest.raises(InputError, match="at most"):
        Grid(PlanAxes(RATIOS), {"seed": tuple(range(MOST_TRIALS))}).trials(of)


@given(st.integers(0, 2**63 - 1), st.sampled_from([None, 1, 4]), st.sampled_from([(), ("shift",)]))
def test_settings_travel_as_plain_values(seed: int, threads: int | None, augment: Any) -> None:
    settings = Settings.of({"seed": seed, "threads": threads, "augment": augment, "std": 0.5})
    assert settings_from(plain_settings(settings)) == settings
    assert plain_settings(DEFAULTS) == {}
    task = Task(1, plain_settings(settings) | {"weights": "net.pt"}, "", Packing(99.0))
    there = settings_from(on_worker(task, 2).settings)
    assert there == replace(settings, threads=threads or 2)
