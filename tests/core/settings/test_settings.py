"""Settings, recipes and the zoo: defaults and refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.errors import InputError
from core.nets.zoo import ZOO, model_spec
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.training.recipes import RECIPES, recipe_named


@pytest.mark.parametrize(
    ("setting", "given", "expected"),
    [
        ("model", "resnet", "cnn5"),
        ("recipe", "slow", "fast, reference"),
        ("protocol", "test", "default, reference"),
        ("precision", "fp16", "auto, fp32, bf16"),
        ("threads", 0, "from 1 to 1,024"),
        ("threads", 1025, "from 1 to 1,024"),
        ("seed", -1, "from 0"),
        ("seed", 2**63, "from 0"),
    ],
)
def test_a_bad_value_is_refused_with_the_value_and_what_was_expected(
    setting: str, given: Any, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        Settings(**{setting: given})
    assert str(given) in str(caught.value)
    assert expected in str(caught.value)


def test_the_largest_and_smallest_values_are_accepted() -> None:
    settings = Settings(threads=1, seed=2**63 - 1)
    assert (settings.threads, settings.seed) == (1, 2**63 - 1)


@pytest.mark.parametrize("name", RECIPES)
def test_settings_change_only_what_is_set(name: str) -> None:
    recipe = recipe_named(name)
    assert Settings(recipe=name).finetuning() == recipe
    changed = Settings(recipe=name, changes=RecipeChanges(epochs=9)).finetuning()
    assert changed.finetune.epochs == 9
    assert replace(changed, finetune=recipe.finetune) == recipe


def test_the_reference_recipe_is_the_notebooks() -> None:
    recipe = recipe_named("reference")
    dense, tuned = recipe.dense, recipe.finetune
    assert (dense.optimizer, dense.lr, dense.schedule) == ("adadelta", 1.0, "step")
    assert (tuned.optimizer, tuned.lr, tuned.schedule) == ("sgd", 0.1, "cosine")
    assert (tuned.momentum, tuned.weight_decay) == (0.9, 1e-4)
    assert dense.epochs == tuned.epochs == 5
    assert dense.batch_size == tuned.batch_size == 256
    assert not recipe.gradual
    assert not recipe.scale_dropout


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match=r"'slow'.*fast, reference"):
        recipe_named("slow")
    with pytest.raises(InputError, match=r"'resnet'.*cnn5"):
        model_spec("resnet")


@pytest.mark.parametrize("name", [name for name, spec in ZOO.items() if spec.dataset])
def test_nets_for_a_data_set_are_shipped_with_weights(name: str) -> None:
    spec = model_spec(name)
    assert spec.name == name
    assert spec.shipped_weights.is_file()
    assert spec.shipped_weights.stat().st_size < 2_000_000
