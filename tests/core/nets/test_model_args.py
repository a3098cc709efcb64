"""Arguments of a builder: text to literals and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.nets.model_args import MODEL_ARGS, format_model_args, has_text, parse_model_args

NAMES = st.from_regex("[a-z_][a-z0-9_]{0,9}", fullmatch=True)
LEAVES = (
    st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.text(max_size=20)
    | st.sampled_from(
        ["none", "True", "10", "-1", "1e3", "a,b", "[3]", "a=b", "'", '"', "\\", "..."]
    )
)
VALUES = st.recursive(LEAVES, lambda each: st.lists(each, max_size=3), max_leaves=6)


@given(args=st.dictionaries(NAMES, VALUES, max_size=4))
def test_arguments_survive_the_round_trip_through_text(args: dict[str, Any]) -> None:
    text = format_model_args(args)
    assert repr(parse_model_args(text)) == repr(dict(sorted(args.items()))) or not args
    assert list(parse_model_args(text)) == sorted(args)
    assert MODEL_ARGS.read(text) == text


@given(text=st.text(max_size=60) | st.text("a=1,[]('\")\\.-", max_size=30))
def test_any_text_is_read_or_refused_on_purpose(text: str) -> None:
    try:
        args = parse_model_args(text)
    except InputError:
        return
    assert parse_model_args(format_model_args(args)) == args


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("num_classes=10,weights=DEFAULT", {"num_classes": 10, "weights": "DEFAULT"}),
        ("depths=[2, 2,6],rate=1e-3", {"depths": [2, 2, 6], "rate": 0.001}),
        ("model_name=hf_hub:timm/resnet18.a1_in1k", {"model_name": "hf_hub:timm/resnet18.a1_in1k"}),
        ("pretrained=false,weights=none", {"pretrained": False, "weights": None}),
        ("size=(3,4),name='a, b'", {"size": [3, 4], "name": "a, b"}),
        ("", {}),
    ],
)
def test_values_are_literals(text: str, args: dict[str, Any]) -> None:
    assert parse_model_args(text) == args


@pytest.mark.parametrize(
    "text",
    [
        "10", "=3", "a=", "a=__import__('os')", "a={}", "a=1+1", "a=lambda: 0", "a=1e999", "a=3j",
        "a.b=1", "a=b'x'", "a=...", "a=1,", "a=" + "[" * 1_000, "a=" + "9" * 2_000,
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_never_evaluated(text: str) -> None:
    with pytest.raises(InputError, match="expected NAME=VALUE"):
        parse_model_args(text)


def test_an_argument_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="'a' is given twice: give it once"):
        MODEL_ARGS.parse("a=1,a=2")


def test_the_order_and_spelling_of_arguments_do_not_matter() -> None:
    assert MODEL_ARGS.parse("b = 'x', a=[1, 2]") == MODEL_ARGS.parse("a=[1,2],b=x") == "a=[1,2],b=x"


def test_text_is_found_in_lists_too() -> None:
    assert has_text([1, [2, "x"]])
    assert not has_text([1, None, [True, 2.0]])
