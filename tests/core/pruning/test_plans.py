"""Plans: parsing, checks, and errors for bad input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.pruning.plans import parse_plan, parse_sparsity, prune_count, uniform_plan

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")


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
