"""Sparsities in recipe files: layers, groups, patterns, and numbers as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.plans import Plan, prune_count
from core.settings.recipe_changes import RecipeChanges
from core.settings.recipe_file import CHANGES, config_text, read_config, write_config
from core.settings.settings import Settings
from tests.core.settings.configs import LAYERS, read


@given(plan=st.dictionaries(st.sampled_from(LAYERS), st.floats(0, 1)), size=st.integers(1, 10**7))
def test_written_sparsities_are_short_and_prune_as_many_weights(
    path: Path, plan: Plan, size: int
) -> None:
    write_config(path, Settings(), plan, dict.fromkeys(LAYERS, size))
    back = read_config(path).checked_plan(LAYERS)
    assert back is not None
    for layer, sparsity in plan.items():
        assert prune_count(back[layer], size) == prune_count(sparsity, size)
        assert len(repr(back[layer])) <= max(6, len(repr(1 / size)) + 2, len(repr(sparsity)))


def test_numbers_are_written_as_a_person_would() -> None:
    plan = {"conv1": 0.9942999999999999, "fc1": 1 - 841 / 147_456}
    text = config_text(Settings(), plan, {"conv1": 800, "fc1": 147_456})
    assert text.endswith("conv1 = 0.9943\nfc1 = 0.994297\n")
    strength = 0.0
    for _ in range(20):
        strength = CHANGES["l1"].kind.step(strength, 1)
        line = next(
            line
            for line in config_text(Settings(changes=RecipeChanges(l1=strength)), None).splitlines()
            if line.startswith("l1")
        )
        assert len(line.partition("  #")[0]) <= len("l1 = 0.0005")


# The plan and the net


def test_a_plan_has_the_nets_layers_in_their_order(path: Path) -> None:
    config = read(path, "[sparsity]\nfc1 = 0.9\nconv2 = 0.5")
    plan = config.checked_plan(LAYERS)
    assert plan == {"conv1": 0.0, "conv2": 0.5, "conv3": 0.0, "fc1": 0.9, "fc2": 0.0}
    assert tuple(plan) == LAYERS


RESNET = ("conv1", "layer3.0.conv1", "layer3.0.conv2", "layer3.1.conv1", "layer4.0.conv1", "fc")


@pytest.mark.parametrize(
    "text",
    [
        'layer3 = 0.9\n"layer3.0" = 0.5\n"layer3.0.conv2" = 0.1',
        '"layer3.0.conv2" = 0.1\n"layer3.0.*" = 0.5\n"layer3.*" = 0.9',
        "[sparsity.layer3]\n'*' = 0.9\n'0.*' = 0.5\n0.conv2 = 0.1",
    ],
)
def test_a_group_or_a_pattern_stands_for_its_layers_and_the_more_specific_wins(
    path: Path, text: str
) -> None:
    plan = read(path, f"[sparsity]\n{text}").checked_plan(RESNET)
    assert plan == dict(zip(RESNET, (0.0, 0.5, 0.1, 0.9, 0.0, 0.0), strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fc = 1\nlayer5 = 0.9", "line 3: unknown layer 'layer5'"),
        ("fc = 1\n'layr4.*' = 0.9", "line 3: no layer matches 'layr4.*'"),
        ("layer3 = 0.9\n'layer3.*' = 0.8", "line 3: 'layer3' and 'layer3.*' give layer3.0.conv1"),
    ],
)
def test_a_name_without_layers_or_against_another_is_refused_with_its_line(
    path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(path, f"[sparsity]\n{text}").checked_plan(RESNET)
    assert str(caught.value).startswith(f"{path} {message}")


def test_of_many_layers_the_closest_are_offered(path: Path) -> None:
    layers = tuple(f"layer{stage}.{block}.conv" for stage in range(5) for block in range(9))
    with pytest.raises(InputError) as caught:
        read(path, "[sparsity]\nlayr3 = 0.5").checked_plan(layers)
    said = "unknown layer 'layr3': expected one of 45 names; did you mean 'layer3', 'layer"
    assert said in str(caught.value)


def test_an_empty_table_is_a_dense_plan(path: Path) -> None:
    config = read(path, "[sparsity]\n")
    assert config.plan == {}
    assert config.checked_plan(LAYERS) == dict.fromkeys(LAYERS, 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[sparsity]\nconv2 = 0.5\n\nconf2 = 1", " line 4: unknown layer 'conf2': L; M 'conv2'?"),
        ("sparsity.Fc1 = 1", " line 1: unknown layer 'Fc1': L; M 'fc1'?"),
        ("[sparsity]\n#\nhead.0 = 1", " line 3: unknown layer 'head.0': L"),
        ("[sparsity.a]\n# b = 1\nb = 1", " line 3: unknown layer 'a.b': L"),
        ('[sparsity]\n"a.b" = 1', " line 2: unknown layer 'a.b': L"),
        ("[sparsity]\n'' = 1", " line 2: unknown layer '': L"),
        ('[sparsity]\n"\\u0007\\n" = 1', " line 2: unknown layer '\\u0007\\u000a': L"),
    ],
)
def test_an_unknown_layer_is_named(path: Path, text: str, message: str) -> None:
    config = read(path, text)
    with pytest.raises(InputError) as caught:
        config.checked_plan(LAYERS)
    message = message.replace("L", "expected one of conv1, conv2, conv3, fc1, fc2")
    assert str(caught.value) == str(path) + message.replace("M", "did you mean")
