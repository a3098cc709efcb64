"""Options of the command line: each comes from the declaration of its setting."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import SETTINGS, Settings
from tui.cli.main import _parser, main
from tui.cli.read_options import settings_of

WRONG = {
    "model": "cnn6",
    "dataset": "letters",
    "data_dir": None,
    "weights": None,
    "scale_dropout": None,
    "rewind": None,
    "reconstruct": None,
    "fresh_head": None,
    "image_size": "4097",
    "mean": "0.1,0.2",
    "std": "0,1,1",
    "l1": "nan",
}
"""A value that is refused, where `wrong` is not; None where every text is taken."""


@pytest.mark.parametrize("command", [[], ["run"], ["lightest"], ["train"]], ids=" ".join)
def test_every_setting_is_an_option_of_a_command_that_trains(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    text = capsys.readouterr().out
    assert all(f"{setting.flag} " in text or f"{setting.flag}," in text
               for setting in SETTINGS.values())  # fmt: skip


@pytest.mark.parametrize("command", ["scan", "table", "bench", "export", "inspect"])
def test_commands_that_do_not_train_take_no_recipe(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert "--model " in text
    assert not any(flag in text for flag in ("--recipe ", "--epochs ", "--rewind"))


@pytest.mark.parametrize("name", [name for name in SETTINGS if WRONG.get(name, "") is not None])
def test_a_wrong_value_is_refused_before_anything_is_done(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declared, value = SETTINGS[name], WRONG.get(name, "wrong")
    assert main(["run", declared.flag, value]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert value in err
    expected = "expected one of" if declared.check else f"expected {declared.kind.expected}"
    assert expected in err


def test_values_arrive_in_their_types() -> None:
    words = "--seed 7 --threads 2 --cache-budget 1.5kB --mean 0.5 --lr 1 --no-rewind --epochs 2"
    settings = settings_of(_parser().parse_args(["run", *words.split()]))
    assert settings == Settings(
        seed=7,
        threads=2,
        cache_budget=1500,
        inputs=settings.inputs,
        changes=RecipeChanges(lr=1.0, rewind=False, epochs=2),
    )
    assert settings.inputs.mean == (0.5,)
    assert type(settings.changes.lr) is float


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("lightest", "--max-drop", "101"), "--max-drop 101: expected a number from 0 to 100"),
        (
            ("lightest", "--max-drop", "1", "--minutes", "0"),
            "--minutes 0: expected a number above 0",
        ),
        (
            ("lightest", "--max-drop", "1", "--by", "ratio"),
            "--by ratio: expected one of parameters",
        ),
        (("lightest", "--max-drop", "1", "--seeds", "0,x"), "--seeds x: expected a whole number"),
        (("lightest", "--max-drop", "1", "--seeds", "0,0"), "--seeds 0,0: 0 is given twice"),
        (("lightest", "--max-drop", "1", "--start", "1"), "--start 1: expected a number above 1"),
        (("scan", "--within", "0"), "--within 0: expected a number above 0"),
        (("scan", "--split", "train"), "--split train: expected one of validation, test"),
        (("bench", "x", "--seconds", "nan"), "--seconds nan: expected a number above 0"),
        (("export", "--to", "x.fw", "--levels", "1"), "--levels 1: expected a whole number from 2"),
        (("export", "--to", "x.fw", "--values", "int4"), "--values int4: expected one of"),
        (("export", "--to", "x.fw", "--tune", "-1"), "--tune -1: expected a whole number from 0"),
        (("table", "--images", "0"), "--images 0: expected a whole number from 1, or all"),
        (("table", "--allocate", "best"), "--allocate best: expected one of"),
        (("run", "--uniform", "nan"), "sparsity nan of every layer: expected a fraction from 0"),
        (("table", "--uniform", "half"), "sparsity 'half' of every layer: expected a number"),
        (("run", "--sparsity", "fc1=2"), "sparsity 2.0 of fc1: expected a fraction from 0 to 1"),
        (("run", "--sparsity", "fc1"), "sparsity 'fc1': expected LAYER=FRACTION"),
        (("run", "--lock", "fc1=-1"), "sparsity -1.0 of fc1: expected a fraction from 0 to 1"),
        (("lightest", "--lock", "fc1=inf"), "sparsity inf of fc1: expected a fraction from 0 to 1"),
        (("scan", "--sparsities", "0.5,nan"), "sparsity nan of the list '0.5,nan': expected"),
    ],
    ids=str,
)
def test_options_of_one_command_are_checked_in_the_same_way(
    arguments: tuple[str, ...], text: str
) -> None:
    with pytest.raises(InputError) as caught:
        _parser().parse_args(arguments)
    assert str(caught.value).startswith(text)


def test_sparsities_arrive_as_numbers() -> None:
    args = _parser().parse_args(["table", "--sparsity", "fc1=.5,fc2=1", "--lock", "conv1=0"])
    assert (args.sparsity, args.lock, args.uniform) == (
        {"fc1": 0.5, "fc2": 1.0},
        {"conv1": 0},
        None,
    )
    assert _parser().parse_args(["run", "--uniform", "0.5"]).uniform == 0.5
    assert _parser().parse_args(["scan", "--sparsities", ".5,.9"]).sparsities == (0.5, 0.9)
