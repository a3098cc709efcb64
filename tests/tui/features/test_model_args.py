"""Arguments of a net on the command line, in recipe files, in runs and in the names of files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.jobs.restore import settings_of as restored_settings
from core.settings.recipe_file import config_text, read_config, write_config
from core.settings.settings import OF_A_SESSION, Settings
from tests.tui.features.test_inputs import run_of
from tui.cli.main import _parser
from tui.cli.read_options import config_of, settings_for, settings_of
from tui.features.recipe_files import settings_with
from tui.state.plan_file import plan_file
from tui.state.run_rows import RunRow, differences

RESNET, TIMM = "torchvision.models:resnet18", "timm:create_model"
RECORDED = {"dataset": "mnist", "protocol": "default"}
RECIPE = {"recipe": "fast", "seed": 0, "precision": "fp32", "choices": {}}


def given(*words: str) -> Any:
    return _parser().parse_args(["run", *words])


@pytest.mark.parametrize(
    ("model", "args", "needed"),
    [
        (RESNET, "num_classes=10,weights=DEFAULT", ["--model", RESNET]),
        ("my.net:build", "width=3", ["--model", "my.net:build"]),
        (TIMM, "model_name=resnet18", ["--model", TIMM, "--model-args", "model_name=resnet18"]),
    ],
)
def test_a_run_takes_its_arguments_from_the_record_unless_they_may_name_code(
    model: str, args: str, needed: list[str], tmp_path: Path
) -> None:
    run = run_of(tmp_path, {"model": model, "model_args": args, "fresh_head": True, **RECORDED})
    expected = Settings(model=model, model_args=args, fresh_head=True)
    assert settings_for(given(*needed), run) == expected
    assert settings_for(given(*needed, "--model-args", args, "--fresh-head"), run) == expected
    with pytest.raises(InputError, match=f"add {' '.join(needed)} to run its code"):
        settings_for(given(), run)
    with pytest.raises(InputError, match="other settings: remove --no-fresh-head"):
        settings_for(given(*needed, "--no-fresh-head"), run)
    with pytest.raises(InputError, match="other settings: remove --model-args depth=3"):
        settings_for(given(*needed, "--model-args", "depth=3"), run)


def test_text_in_a_runs_arguments_is_not_passed_to_code_unless_confirmed(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"model": "torch.hub:load", "model_args": "repo_or_dir=x", **RECORDED})
    with pytest.raises(
        InputError, match=r"add --model torch\.hub:load --model-args repo_or_dir=x "
    ):
        settings_for(given("--model", "torch.hub:load"), run)


def test_a_recipe_file_holds_arguments_and_options_override_them(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    plain, own = Settings(), Settings(model=TIMM, model_args="model_name=resnet18", fresh_head=True)
    assert "model_args" not in config_text(plain, None)
    write_config(path, own, None)
    assert read_config(path).merged_with({}) == own

    def read(*words: str) -> Settings:
        args = given("--config", str(path), *words)
        return settings_of(args, config_of(args))

    assert read("--model", TIMM, "--model-args", "model_name=resnet18") == own
    other = "model_name=resnet34"
    assert read("--model", TIMM, "--model-args", other) == replace(own, model_args=other)
    assert read("--model", "lenet-5") == Settings(model="lenet-5"), "they are the other model's"
    for words in ((), ("--model", TIMM)):
        with pytest.raises(InputError, match=f"add --model {TIMM} --model-args model_name="):
            read(*words)
    with pytest.raises(InputError, match="start featherweight with --model-args model_name="):
        settings_with(read_config(path), Settings(model=TIMM))


def test_a_bad_value_in_a_recipe_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(f'model = "{RESNET}"\nmodel_args = "10"\n')
    with pytest.raises(InputError, match=r"line 2: model_args = \"10\": '10': expected NAME=VALUE"):
        read_config(path)


def test_nets_with_other_arguments_are_told_apart(tmp_path: Path) -> None:
    rows = [
        RunRow.of(run_of(tmp_path, {"model": RESNET, **said}))
        for said in ({}, {"model_args": "num_classes=3"}, {"fresh_head": True})
    ]
    assert len({row.group for row in rows}) == 3
    assert differences(rows[1], rows[0])[0] == ("net", f"{RESNET}, num_classes=3", RESNET)
    named = [
        Settings(model=TIMM, model_args=f"model_name={name}") for name in ("resnet18", "vit/x")
    ]
    assert [settings.short_name for settings in named] == ["timm.resnet18", "timm.vit-x"]
    same = Settings(model=RESNET), Settings(model=RESNET, model_args="num_classes=3")
    assert len({plan_file(settings) for settings in (*named, *same)}) == 4


def test_a_run_and_a_recipe_open_from_another_folder_with_the_paths_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorded paths are those of the folder they were given in."""
    model, images, recipe = "nets/net.py:Net", "folder:img", tmp_path / "recipe.toml"
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.py").touch()
    (tmp_path / "img").mkdir()
    run = run_of(
        tmp_path, {**RECORDED, "model": model, "dataset": images, "model_args": "width=3"} | RECIPE
    )
    monkeypatch.chdir(tmp_path)
    write_config(recipe, Settings(model=model, dataset=images, model_args="width=3", seed=2), None)
    monkeypatch.chdir("/")
    here = Settings(
        model=f"{tmp_path}/{model}", dataset=f"folder:{tmp_path}/img", model_args="width=3"
    )
    options = ["--model", here.model, "--dataset", here.dataset]
    assert settings_for(given(*options), run) == replace(here, precision="fp32")
    assert restored_settings(run, here) == replace(here, precision="fp32")
    args = given("--config", str(recipe), *options)
    assert settings_of(args, config_of(args)) == replace(here, seed=2)
    assert settings_with(read_config(recipe, OF_A_SESSION), here) == replace(here, seed=2)
    with pytest.raises(InputError, match=r"add --model PATH/net\.py:Net to run its code"):
        settings_for(given(), run)
    with pytest.raises(InputError, match="no such folder: img; add --dataset folder:PATH"):
        settings_for(given(*options[:2]), run)
    with pytest.raises(InputError, match=f"remove --dataset folder:{tmp_path}/nets"):
        settings_for(given(*options[:2], "--dataset", f"folder:{tmp_path}/nets"), run)
