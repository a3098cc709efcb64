"""Names, groups and patterns, and the sparsities they give the layers of a net."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.layer_selection import SelectionError, layers_named, spread

RESNET = ("conv1", *(f"layer{stage}.{block}.conv{at}" for stage in (1, 2, 3, 4)
                     for block in (0, 1, 2) for at in (1, 2)), "fc")  # fmt: skip
PARTS = ("a", "b", "0", "1")
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(".".join)
NETS = st.lists(NAMES, min_size=1, max_size=8, unique=True).map(tuple)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("layer3", 6),
        ("layer3.0", 2),
        ("layer3.0.conv1", 1),
        ("layer3.*", 6),
        ("layer[12].*", 12),
        ("*.conv2", 12),
        ("layer?.0.conv1", 4),
        ("*", 26),
    ],
)
def test_a_name_stands_for_a_layer_a_group_or_all_that_match(name: str, number: int) -> None:
    assert len(layers_named(name, RESNET)) == number


@pytest.mark.parametrize(
    "name", ["", ".", "layer", "layer3.", "layer3.*.conv9", "conv1.*", "[", "Conv1"]
)
def test_a_name_that_stands_for_nothing_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"expected one of 26 names"):
        layers_named(name, RESNET)


@pytest.mark.parametrize(
    ("name", "close"),
    [("layr3", "layer3"), ("layer3.0.conv3", "layer3.0.conv1"), ("lyer4.*", "layer4")],
)
def test_the_closest_layers_and_groups_are_offered(name: str, close: str) -> None:
    with pytest.raises(SelectionError, match=f"did you mean .*'{close}'") as caught:
        spread({"fc": 0.5, name: 0.9}, RESNET)
    assert caught.value.name == name


def test_the_more_specific_name_wins_whatever_the_order() -> None:
    given_sparsities = {
        "layer3.0.conv1": 0.1,
        "layer3.0": 0.2,
        "layer3": 0.3,
        "*": 0.4,
        "*.conv2": 0.5,
    }
    plan = spread(given_sparsities, RESNET)
    assert plan == spread(dict(reversed(given_sparsities.items())), RESNET)
    assert tuple(plan) == RESNET
    assert [plan[f"layer3.0.conv{at}"] for at in (1, 2)] == [0.1, 0.2]
    assert [plan[f"layer3.1.conv{at}"] for at in (1, 2)] == [0.3, 0.3]
    assert [plan[f"layer4.1.conv{at}"] for at in (1, 2)] == [0.4, 0.5]


def test_a_layers_own_name_wins_over_a_pattern_that_matches_it_alone() -> None:
    assert spread({"f*": 0.9, "fc": 0.5}, RESNET) == {"fc": 0.5}
    assert spread({"attn": 0.5}, ("attn", "attn.out")) == {"attn": 0.5}


def test_names_that_are_equally_specific_must_agree() -> None:
    assert len(spread({"layer3": 0.9, "layer3.*": 0.9}, RESNET)) == 6
    with pytest.raises(SelectionError, match=r"'layer3' and 'layer3\.\*' give layer3\.0\.conv1"):
        spread({"layer3": 0.9, "layer3.*": 0.8}, RESNET)
    settled = {"layer1": 0.9, "*.0.conv?": 0.5, "layer[12].0.*": 0.7, "layer2": 0.8}
    assert spread(settled, RESNET)["layer1.0.conv1"] == 0.7


@given(NETS, st.dictionaries(st.one_of(NAMES, st.just("*")), st.floats(0, 1), max_size=4))
def test_a_layer_has_the_sparsity_of_a_name_that_stands_for_it(
    layers: tuple[str, ...], sparsities: dict[str, float]
) -> None:
    try:
        plan = spread(sparsities, layers)
    except SelectionError:
        return
    named = {name: layers_named(name, layers) for name in sparsities}
    assert list(plan) == [
        layer for layer in layers if any(layer in each for each in named.values())
    ]
    for layer, sparsity in plan.items():
        owners = [name for name, each in named.items() if layer in each]
        fewest = min(len(named[name]) for name in owners)
        best = [layer] if layer in owners else [n for n in owners if len(named[n]) == fewest]
        assert {sparsities[name] for name in best} == {sparsity}
