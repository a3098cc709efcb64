"""TOML files with lists in place of values."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.settings.recipe_file import config_text
from core.settings.settings import DEFAULTS, Settings
from core.sweep.sweep_file import SweepFile, read_sweep

SWEEP = """\
model = "lenet-5"
recipe = "fast"
ratio = [10, 20]
goal = "6000 kept"
allocate = ["lamp", "erk"]
seed = [0, 1]

[finetune]
lr = [1e-3, 2e-3]
augment = ["shift"]

[sparsity]
conv2 = [0.8, 0.9]
fc.one = 0.5
"""


def read(folder: Path, text: str) -> SweepFile:
    path = folder / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return read_sweep(path)


def test_lists_become_axes(tmp_path: Path) -> None:
    file = read(tmp_path, SWEEP)
    assert file.config.merged_with({}) == Settings(model="lenet-5")
    assert [str(choice) for choice in file.grid.plans.choices()] == [
        *("10x lamp", "10x erk", "20x lamp", "20x erk", "6000 kept lamp", "6000 kept erk"),
        *("conv2=0.8,fc.one=0.5", "conv2=0.9,fc.one=0.5"),
    ]
    assert file.grid.axes == {
        "recipe": ("fast",),
        "seed": (0, 1),
        "lr": (1e-3, 2e-3),
        "augment": (("shift",),),
    }


def test_a_recipe_file_is_a_sweep_of_one_plan(tmp_path: Path) -> None:
    file = read(tmp_path, config_text(DEFAULTS, {"conv1": 0.5, "fc2": 0.25}))
    trials = file.grid.trials(lambda given: file.config.merged_with(given))
    assert [(trial.settings, str(trial.choice)) for trial in trials] == [
        (DEFAULTS, "conv1=0.5,fc2=0.25")
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('seed = 0\nmodel = ["cnn5", "lenet-5"]', 2, "a sweep has one model"),
        ("ratio = [10, 0.5]", 1, "expected a number from 1"),
        ('ratio = 10\nallocate = ["lamp", "erc"]', 2, "expected one of lamp"),
        ("seed = []", 1, "an empty list"),
        ("seed = [1, 1]", 1, "1 is given twice"),
        ("[finetune]\nlr = [0.1, 0]", 2, "expected a number above 0"),
        ("[finetune]\nrate = [0.1]", 2, "unknown key 'rate'"),
        ("[sparsity]\nconv1 = [0.5, 90]", 2, "write 90 percent as 0.9"),
        ("ratios = [10]", 1, "unknown key 'ratios'"),
        ('goal = "95 %"', 1, "expected 60x"),
        ("threads = [1, 2]", 1, "machine-specific"),
        ("finetune = 3", 1, "expected a table"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(InputError, match=f"sweep.toml line {line}: .*{words}"):
        read(tmp_path, text)
