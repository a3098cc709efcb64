"""Preferences: options before the environment, that before the file, that before the defaults."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from core.data.folders.disk_budget import parse_bytes
from core.settings.recipe_file import read_config
from tui.cli import read_options
from tui.cli.main import main
from tui.preferences.config_file import config_path
from tui.preferences.declared import NO_PREFERENCES, PREFERENCES, Preferences, variable
from tui.preferences.reading import read_preferences


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of the test's own, in a folder that exists."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in PREFERENCES:
        monkeypatch.delenv(variable(name), raising=False)
    path = config_path()
    path.parent.mkdir(parents=True)
    return path


def problems(file: Path, text: str, **environment: str) -> list[str]:
    file.write_text(text, encoding="utf-8")
    return [each.replace(str(file), "FILE") for each in read_preferences(environment).problems]


def test_without_a_file_everything_has_its_default(file: Path):
    assert read_preferences({}) == NO_PREFERENCES


def test_the_file_is_before_the_defaults_and_the_environment_before_the_file(file: Path):
    folder = str(file.parent)
    file.write_text(
        f'notify = "bell"\ntour = false\nthreads = 2\ndata_dir = "{folder}"\n'
        'cache_budget = "5 GiB"\nexperiment = "mine"\n'
    )
    own = {"data_dir": Path(folder), "cache_budget": parse_bytes("5 GiB")}
    of_file = read_preferences({})
    assert of_file == Preferences(
        notify="bell", tour=False, experiment="mine", settings={"threads": 2, **own}
    )
    environment = {"FEATHERWEIGHT_THREADS": "3", "FEATHERWEIGHT_TOUR": "true"}
    assert read_preferences(environment) == Preferences(
        notify="bell", experiment="mine", settings={"threads": 3, **own}
    )


def test_options_and_what_is_recorded_are_before_preferences(file: Path, tmp_path: Path):
    preferences = Preferences(settings={"threads": 2, "precision": "bf16"})
    plain = Namespace(preferences=preferences)
    assert read_options.settings_of(plain).threads == 2
    assert read_options.settings_of(Namespace(preferences=preferences, threads=5)).threads == 5
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('precision = "fp32"\n')
    settings = read_options.settings_of(plain, read_config(recipe))
    assert (settings.precision, settings.threads) == ("fp32", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\nnotify = "loud"', 'FILE line 2: notify = "loud": expected one of off, bell, desktop'),
        ("threads = 0", "FILE line 1: threads = 0: expected a whole number from 1 to 1,024"),
        ('tour = "no"', 'FILE line 1: tour = "no": expected true or false'),
        ('theme = "mud"', "FILE line 1: theme = \"mud\": unknown theme 'mud': expected one of "),
        ('\n\nthem = "nord"', "FILE line 3: unknown key 'them': "),
        ('model = "cnn5"', "FILE line 1: 'model' belongs in a recipe file, or in the option --m"),
        ('data_dir = "/dev/null"', 'FILE line 1: data_dir = "/dev/null": folder /dev/null: '),
        ('data_dir = "a\\u0000b"', 'FILE line 1: data_dir = "a\\u0000b": '),
        ("cache_budget = -1", "FILE line 1: cache_budget = -1: expected a size"),
        ("keys = 3", "FILE line 1: keys = 3: expected a table"),
        ('[keys]\n\nscan = "f"', "FILE line 3: f is already the key of 'fine-tune'"),
        ('[keys]\nprunes = "f"', "FILE line 2: unknown action 'prunes': "),
        ('[keys.history]\ndelete = "nokey"', "FILE line 2: no key is called 'nokey'"),
        ("theme = \n", "FILE: Invalid value"),
        ("x = " + "[" * 5000, "FILE: "),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_line(file: Path, text: str, expected: str):
    (problem,) = problems(file, text)
    assert problem.startswith(expected)
    kept = read_preferences({})
    assert (kept.theme, kept.notify, kept.tour, kept.settings, kept.keys) == (
        NO_PREFERENCES.theme, NO_PREFERENCES.notify, NO_PREFERENCES.tour, {}, {},
    )  # fmt: skip


def test_what_is_wrong_leaves_the_rest_as_it_is(file: Path):
    text = 'notify = "loud"\nthreads = 3\n[keys]\nscan = "S"\nprune = "f"\n'
    assert len(problems(file, text)) == 2
    kept = read_preferences({})
    assert (kept.settings, kept.keys) == ({"threads": 3}, {"scan": ("S",)})


def test_a_file_that_cannot_be_read_is_named(file: Path):
    file.mkdir()
    (problem,) = read_preferences({}).problems
    assert str(file) in problem


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to(path)])
def test_a_pipe_that_nobody_fills_and_a_link_to_nowhere_are_named(file: Path, make):
    make(file)
    (problem,) = read_preferences({}).problems
    assert str(file) in problem


def test_of_very_many_problems_the_first_ones_are_named(file: Path):
    text = "".join(f"unknown{number} = 1\n" for number in range(1000))
    found = problems(file, text)
    assert found[19].startswith("FILE line 20: unknown key 'unknown19'")
    assert found[20:] == ["and 980 more"]


def test_a_wrong_variable_is_named_and_the_file_stands(file: Path):
    (problem,) = problems(file, 'notify = "bell"', FEATHERWEIGHT_NOTIFY="loud")
    assert problem.startswith("FEATHERWEIGHT_NOTIFY=loud: expected one of")
    assert read_preferences({"FEATHERWEIGHT_NOTIFY": "loud"}).notify == "bell"


def test_a_command_says_what_is_wrong_on_a_line_each_and_does_its_work(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    file.write_text('threads = 0\ntheme = "mud"\n[keys]\nscan = "f"\n')
    monkeypatch.setitem(os.environ, "FEATHERWEIGHT_DEVICE", "abacus")
    assert main(["inspect", "nothing.fw"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("line ")[2][:11] for line in lines[:1]] == ["1: threads "]
    assert lines[1].startswith("featherweight: FEATHERWEIGHT_DEVICE=abacus: ")
    assert len(lines) == 3  # the theme and the keys are those of the program; the file is missing
