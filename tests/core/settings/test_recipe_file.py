"""Recipe files: what is written is read back."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.inputs import Inputs
from core.data.registry import DATASETS, PROTOCOLS
from core.errors import InputError
from core.nets.zoo import ZOO
from core.pruning.plans import Plan
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.settings.recipe_file import CHANGES, TOP, config_text, read_config, write_config
from core.settings.settings import SETTINGS, Settings
from core.settings.toml import line_of
from core.system.number_formats import PRECISIONS
from core.training.recipes import AUGMENTATIONS, LOSSES, METHODS, OPTIMIZERS, RECIPES
from tests.core.settings.configs import LAYERS, WHOLE, read

# What is written is read back


def is_consistent(changes: RecipeChanges) -> bool:
    for recipe in RECIPES.values():
        try:
            changes.applied_to(recipe)
        except InputError:
            return False
    return True


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


RECIPE_CHANGES = st.builds(
    RecipeChanges,
    epochs=maybe(st.integers(0, 100_000)),
    lr=maybe(st.floats(0, 100, exclude_min=True)),
    method=maybe(st.sampled_from(list(METHODS))),
    rounds=maybe(st.integers(1, 100)),
    scale_dropout=maybe(st.booleans()),
    l1=maybe(st.floats(0, 1)),
    l2=maybe(st.floats(0, 1)),
    rewind=maybe(st.booleans()),
    optimizer=maybe(st.sampled_from(list(OPTIMIZERS))),
    batch_size=maybe(st.integers(1, 1_000_000)),
    loss=maybe(st.sampled_from(list(LOSSES))),
    smoothing=maybe(st.floats(0, 1, exclude_max=True)),
    distill=maybe(st.floats(0, 1)),
    augment=maybe(st.sets(st.sampled_from(list(AUGMENTATIONS))).map(tuple)),
).filter(is_consistent)

SCALES = [st.tuples(*[st.floats(0, 1, exclude_min=True)] * count) for count in (1, 3)]

INPUTS = st.builds(
    Inputs,
    image_size=maybe(st.integers(1, 4096)),
    channels=maybe(st.just(3)),
    mean=maybe(st.one_of(SCALES)),
    std=maybe(st.one_of(SCALES)),
)

ASKED = st.builds(
    Settings,
    model=st.sampled_from(list(ZOO)),
    dataset=st.sampled_from(list(DATASETS)),
    protocol=st.sampled_from(list(PROTOCOLS)),
    recipe=st.sampled_from(list(RECIPES)),
    changes=RECIPE_CHANGES,
    precision=st.sampled_from(("auto", *PRECISIONS)),
    seed=st.integers(0, 2**63 - 1),
    inputs=INPUTS,
)

AWKWARD = ["", ".", "a.b", "a b", '"', "'", "\\", "\\u0041", "\n", "\r\n", "\x00", "\x7f", "#", "="]
NAMES = st.text() | st.sampled_from([*AWKWARD, "é", "层.0", "\u2028", "👩‍👩‍👧", "[x]", "sparsity"])
PLANS = maybe(st.dictionaries(NAMES, st.floats(0, 1)))


@given(settings=ASKED, plan=PLANS)
def test_what_is_written_is_read_back(path: Path, settings: Settings, plan: Plan | None) -> None:
    write_config(path, settings, plan)
    config = read_config(path)
    assert config.merged_with({}) == settings
    assert config.plan == plan
    assert list(config.plan or {}) == list(plan or {})


@given(plan=st.dictionaries(NAMES, st.floats(0, 1), min_size=1), data=st.data())
def test_the_line_of_every_layer_is_known(path: Path, plan: Plan, data: st.DataObject) -> None:
    text = config_text(Settings(), plan)
    name = data.draw(st.sampled_from(list(plan)))
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines, 1) if line.startswith("[sparsity]"))
    assert line_of(text, ("sparsity", name)) == first + 1 + list(plan).index(name)


@given(text=st.text() | st.lists(st.sampled_from(WHOLE.splitlines())).map("\n".join))
def test_any_text_is_read_or_refused_on_one_line(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    message = f"{path}: read"
    try:
        read_config(path)
    except InputError as error:
        message = str(error)
    assert message.startswith(str(path))
    assert message.isprintable()


def test_machine_specific_settings_are_not_written(path: Path) -> None:
    here = Settings(
        threads=3, device="cpu", data_dir=Path("data"), weights=Path("w"), cache_budget=1, seed=7
    )
    write_config(path, here, None)
    assert read_config(path).merged_with({}) == Settings(seed=7)


def test_a_written_file_reads_as_expected() -> None:
    settings = Settings(changes=RecipeChanges(method="iterative", lr=0.01, scale_dropout=False))
    text = config_text(settings, {"conv1": 0.65, "block.0.conv": 1, "tiny": 1e-7})
    lines = [line.partition("  # ")[0] for line in text.splitlines()]
    assert lines == [
        "# Featherweight recipe file. Use it with: featherweight run --config FILE",
        'model = "cnn5"',
        'dataset = "mnist"',
        'protocol = "default"',
        'recipe = "fast"',
        "seed = 0",
        "",
        "[finetune]",
        'method = "iterative"',
        "lr = 0.01",
        "scale_dropout = false",
        "",
        "[sparsity]",
        "conv1 = 0.65",
        '"block.0.conv" = 1.0',
        "tiny = 1e-07",
    ]
    assert ": default, reference\n" in text
    assert ": fast, reference\n" in text
    assert ": one-shot, gradual, iterative\n" in text


def test_precision_is_written_only_if_it_is_not_the_default() -> None:
    assert "precision" not in config_text(Settings(), None)
    assert '\nprecision = "bf16"  # ' in config_text(Settings(precision="bf16"), None)


@pytest.mark.parametrize("sparsity", [float("nan"), float("inf"), 1.5, -0.1])
def test_an_invalid_sparsity_is_not_written(path: Path, sparsity: float) -> None:
    path.write_text("seed = 1")
    with pytest.raises(InputError, match=r"of conv1: expected a fraction from 0 to 1"):
        write_config(path, Settings(), {"conv1": sparsity})
    assert path.read_text() == "seed = 1"


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not exist; create it first"):
        write_config(tmp_path / "none" / "recipe.toml", Settings(), None)


def test_every_field_is_a_setting_and_portable_unless_machine_specific() -> None:
    names = [field.name for owner in (Settings, Inputs, RecipeChanges) for field in fields(owner)]
    assert sorted([*SETTINGS, "changes", "inputs"]) == sorted(names)
    machine = SETTINGS.keys() - TOP.keys() - CHANGES.keys()
    assert machine == {"device", "threads", "data_dir", "weights", "cache_budget"}


# What people write


def test_a_file_of_every_key_is_read(path: Path) -> None:
    config = read(path, WHOLE)
    changes = RecipeChanges(epochs=5, method="iterative", rounds=3, scale_dropout=True)
    assert config.merged_with({}) == Settings(changes=changes)
    assert config.plan == {"conv1": 0.65, "block.0.conv": 0.9}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "[finetune]\n", "finetune = {}"])
def test_an_empty_file_sets_nothing(path: Path, text: str) -> None:
    config = read(path, text)
    assert config.values == {}
    assert config.plan is None
    assert config.merged_with({}) == Settings()
    assert config.merged_with({}).changes == NO_CHANGES
    assert config.checked_plan(LAYERS) is None


@pytest.mark.parametrize(
    "text",
    [
        "[sparsity]\nfeatures.0 = 0.5\nfeatures.3.conv = 1",
        "[sparsity]\n\"features.0\" = 0.5\n'features.3.conv' = 1",
        "[sparsity.features]\n0 = 0.5\n3.conv = 1.0",
        "[sparsity]\n[sparsity.features]\n0 = 0.5\n[sparsity.features.3]\nconv = 1",
        "sparsity.features.0 = 0.5\nsparsity.features.3.conv = 1",
        'sparsity = { features.0 = 0.5, "features.3.conv" = 1 }',
        "sparsity = { features = { 0 = 0.5, 3 = { conv = 1 } } }",
        "\ufeff[sparsity]\r\nfeatures.0 = 0.5\r\nfeatures.3.conv = 1\r\n",
        "[sparsity]\nfeatures.0 = 0.5\nfeatures.3.conv = 1\n[sparsity.empty]\n",
    ],
)
def test_a_dotted_layer_name_may_be_written_in_any_way(path: Path, text: str) -> None:
    config = read(path, text)
    assert config.plan == {"features.0": 0.5, "features.3.conv": 1.0}
    assert all(type(sparsity) is float for sparsity in config.plan.values())


def test_a_whole_number_is_a_number(path: Path) -> None:
    config = read(path, "finetune.lr = 1\nfinetune.l1 = 0\nfinetune.l2 = 1")
    assert config.values == {"lr": 1.0, "l1": 0.0, "l2": 1.0}
    assert all(type(value) is float for value in config.values.values())


# Options over the file, the file over the defaults


def test_options_override_the_file_and_the_file_the_defaults(path: Path) -> None:
    config = read(path, 'recipe = "reference"\nseed = 1\n[finetune]\nepochs = 9\nlr = 0.5')
    assert config.values == {"recipe": "reference", "seed": 1, "epochs": 9, "lr": 0.5}
    options = {"seed": 2, "epochs": 1, "threads": 2, "rewind": True}
    assert config.merged_with(options) == Settings(
        recipe="reference", seed=2, threads=2, changes=RecipeChanges(epochs=1, lr=0.5, rewind=True)
    )
    assert config.merged_with({}) == Settings(
        recipe="reference", seed=1, changes=RecipeChanges(epochs=9, lr=0.5)
    )


def test_a_contradiction_names_the_file(path: Path) -> None:
    config = read(path, '[finetune]\nmethod = "one-shot"\nrounds = 3')
    why = "3 rounds need the method iterative, not one-shot"
    with pytest.raises(InputError) as caught:
        _ = config.merged_with({})
    assert str(caught.value) == f"{path}: {why}"
    with pytest.raises(InputError) as caught:
        config.merged_with({"threads": 2})
    assert str(caught.value) == f"{path}: {why}"
    with pytest.raises(InputError) as caught:
        config.merged_with({"epochs": 2})
    assert str(caught.value) == f"{path} and the options: {why}"


def test_image_settings_are_read_and_contradictions_reported(path: Path) -> None:
    config = read(path, "image_size = 64\nmean = [0.5, 0.25, 0]\nstd = 1")
    inputs = Inputs(image_size=64, mean=(0.5, 0.25, 0.0), std=(1.0,))
    assert config.merged_with({}) == Settings(inputs=inputs)
    assert config.merged_with({"mean": (0.5,), "channels": 1}).inputs == Inputs(
        64, 1, (0.5,), (1.0,)
    )
    with pytest.raises(InputError, match=r"and the options: mean has 3 numbers"):
        config.merged_with({"channels": 1})


def test_an_option_can_resolve_a_contradiction(path: Path) -> None:
    config = read(path, "[finetune]\nrewind = true")
    with pytest.raises(InputError, match="rewinding needs masks"):
        _ = config.merged_with({})
    assert config.merged_with({"recipe": "reference"}).finetuning().rewind
    assert config.merged_with({"method": "one-shot"}).finetuning().rewind


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"threads": 0}, "threads = 0: expected a whole number from 1 to 1,024"),
        ({"epochs": -1}, "epochs = -1: expected a whole number from 0 to 100,000"),
    ],
)
def test_a_bad_option_is_not_blamed_on_the_file(
    path: Path, options: dict[str, Any], why: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(path, WHOLE).merged_with(options)
    assert str(caught.value) == why
