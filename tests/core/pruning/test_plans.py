"""Plans: parsing, checks, and errors for bad input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.layer_selection import spread
from core.pruning.plans import (
    Plan,
    parse_pairs,
    parse_sparsity,
    prune_count,
    short_sparsity,
    uniform_plan,
    whole_plan,
)

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")


def parse_plan(text: str, layers: tuple[str, ...]) -> Plan:
    return whole_plan(parse_pairs(text), layers)


@given(st.dictionaries(st.sampled_from(LAYERS), st.floats(0, 1), min_size=1))
def test_a_plan_survives_formatting_and_parsing(given_plan: dict[str, float]) -> None:
    text = ",".join(f"{name}={sparsity!r}" for name, sparsity in given_plan.items())
    plan = parse_plan(text, LAYERS)
    assert tuple(plan) == LAYERS
    assert plan == {name: given_plan.get(name, 0.0) for name in LAYERS}


def test_spaces_and_a_trailing_comma_are_ignored() -> None:
    assert parse_plan(" conv2 = 0.5 , fc1=1, ", LAYERS) == {
        **dict.fromkeys(LAYERS, 0.0),
        "conv2": 0.5,
        "fc1": 1.0,
    }


def test_groups_and_patterns_are_named_like_layers() -> None:
    layers = ("conv1", "block.0", "block.1", "fc")
    plan = {"conv1": 0.0, "block.0": 0.5, "block.1": 0.9, "fc": 0.0}
    assert parse_plan("block=0.9, block.0=0.5", layers) == plan
    assert parse_plan("block.*=0.9, block.0=0.5", layers) == plan
    assert spread(parse_pairs("block=0.9, block.0=0.5"), layers) == {"block.0": 0.5, "block.1": 0.9}


@pytest.mark.parametrize(
    ("text", "given_text", "expected"),
    [
        ("conv1", "conv1", "LAYER=FRACTION"),
        ("0.5", "0.5", "LAYER=FRACTION"),
        ("conv1=0.5,conv9=0.5", "conv9", "conv1, conv2, conv3, fc1, fc2"),
        ("=0.5", "''", "conv1, conv2, conv3, fc1, fc2"),
        ("Conv1=0.5", "Conv1", "conv1, conv2, conv3, fc1, fc2"),
        ("conv1=0.5,conv1=0.6", "conv1", "each layer once"),
        ("conv1=much", "much", "a number from 0 to 1"),
        ("conv1=", "''", "a number from 0 to 1"),
        ("conv1=50%", "50%", "a number from 0 to 1"),
        ("conv1=0.5=0.6", "0.5=0.6", "a number from 0 to 1"),
        ("conv1=1.5", "1.5", "a fraction from 0 to 1"),
        ("conv1=-0.1", "-0.1", "a fraction from 0 to 1"),
        ("conv1=nan", "nan", "a fraction from 0 to 1"),
        ("conv1=inf", "inf", "a fraction from 0 to 1"),
        ("conv1=1.0000001", "1.0000001", "a fraction from 0 to 1"),
        ("", "''", "LAYER=FRACTION"),
        (" , ", " , ", "LAYER=FRACTION"),
    ],
)
def test_bad_text_is_refused_with_what_was_given_and_expected(
    text: str, given_text: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_plan(text, LAYERS)
    message = str(caught.value)
    assert given_text in message
    assert expected in message


@given(st.floats().filter(lambda value: not 0 <= value <= 1))
def test_a_number_that_is_not_a_fraction_is_named(value: float) -> None:
    for refuse in (
        lambda: parse_sparsity(repr(value), "conv1"),
        lambda: uniform_plan(value, LAYERS),
    ):
        with pytest.raises(InputError) as caught:
            refuse()
        assert repr(value) in str(caught.value)
        assert "from 0 to 1" in str(caught.value)


@given(st.floats(0, 1))
def test_a_uniform_plan_names_every_layer(sparsity: float) -> None:
    assert uniform_plan(sparsity, LAYERS) == dict.fromkeys(LAYERS, sparsity)


@given(st.floats(0, 1), st.integers(0, 10**9))
def test_prune_count_is_between_none_and_all(sparsity: float, elements: int) -> None:
    assert 0 <= prune_count(sparsity, elements) <= elements
    assert (prune_count(0.0, elements), prune_count(1.0, elements)) == (0, elements)


@given(st.floats(0, 1), st.integers(0, 10**9))
def test_a_shortened_sparsity_prunes_as_many_weights(sparsity: float, elements: int) -> None:
    short = short_sparsity(sparsity, elements)
    assert prune_count(short, elements) == prune_count(sparsity, elements)
    assert len(repr(short)) <= max(len(repr(sparsity)), 6)


@given(st.integers(0, 10_000), st.integers(0, 10**6))
def test_a_sparsity_as_people_type_it_stays_as_it_is(hundredths: int, elements: int) -> None:
    typed = round(hundredths / 10_000, 4)
    assert short_sparsity(typed, elements) == typed


@pytest.mark.parametrize(
    ("sparsity", "elements", "short"),
    [
        (99.43 / 100, 147_456, 0.9943),
        (0.29000000000000004, 1_000, 0.29),
        (1 - 841 / 147_456, 147_456, 0.994297),
        (0.62, 10, 0.62),
    ],
)
def test_sparsities_are_written_as_a_person_would(
    sparsity: float, elements: int, short: float
) -> None:
    assert short_sparsity(sparsity, elements) == short
