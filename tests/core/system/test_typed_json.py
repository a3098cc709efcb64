"""Dataclasses from untrusted JSON: read by their type hints, faults named by key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.system.typed_json import LONGEST_FAULT, LONGEST_TEXT, Limits, from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    share: Annotated[float, Limits(0, 1)] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("found '', expected a name")


@dataclass(frozen=True, slots=True)
class Choice:
    speed: int | None = None
    kind: Literal["slow", "fast"] | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    count: int
    loss: float | None
    on: bool = True
    kind: Literal["oak", "elm"] = "oak"
    leaves: Annotated[tuple[Leaf, ...], Limits(rows=3)] = field(default_factory=tuple)
    choice: Annotated[Choice, Limits(whole=True)] | None = None
    ends: Annotated[Mapping[str, int], Limits(1, 9)] | None = None
    extra: Mapping[str, Any] | None = None
    at: datetime | None = None


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE = Tree(
    3, 0.5, False, "elm", (Leaf("a", 0.25), Leaf("b")), Choice(7), {"x": 2}, {"y": [1, {}]}, NOON
)


def test_an_object_survives_json() -> None:
    written = to_plain(WHOLE)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
    assert from_plain(Tree, written) == (WHOLE, ())


def test_only_defaults_are_left_out() -> None:
    assert to_plain(Tree(3, None)) == {"count": 3, "loss": None, "leaves": []}
    assert from_plain(Tree, {"count": 3}) == (Tree(3, None), ())
    assert from_plain(Tree, {"count": 3, "not known": 1}) == (Tree(3, None), ())


def test_times_are_utc_unless_they_name_a_time_zone() -> None:
    for data in ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00", "2026-11-20T14:00:00+02:00"):
        assert from_plain(Tree, {"count": 1, "at": data})[0] == Tree(1, None, at=NOON)
    local = NOON.astimezone(timezone(timedelta(hours=5)))
    assert to_plain(Tree(1, None, at=local))["at"] == "2026-11-20T12:00:00Z"


NUMBER = "expected a whole number"


@pytest.mark.parametrize(
    ("data", "fault", "left"),
    [
        ({"count": "3"}, f"count: found '3', {NUMBER}", None),
        ({"count": True}, f"count: found True, {NUMBER}", None),
        ({"count": 3.0}, f"count: found 3.0, {NUMBER}", None),
        ({}, f"count: found nothing, {NUMBER}", None),
        ([], "found [], expected an object", None),
        ({"count": 3, "loss": "x"}, "loss: found 'x', expected a number", Tree(3, None)),
        ({"count": 3, "loss": float("nan")}, "loss: found nan, expected a number", Tree(3, None)),
        ({"count": 3, "on": 1}, "on: found 1, expected true or false", Tree(3, None)),
        ({"count": 3, "kind": []}, "kind: found [], expected one of oak, elm", Tree(3, None)),
        ({"count": 3, "leaves": {}}, "leaves: found {}, expected a list", Tree(3, None)),
        (
            {"count": 3, "leaves": [{"name": "a", "share": 2}]},
            "leaves[0].share: found 2, expected a number from 0 to 1",
            Tree(3, None, leaves=(Leaf("a"),)),
        ),
        (
            {"count": 3, "leaves": [{"name": "a"}, {"name": ""}]},
            "leaves[1]: found '', expected a name",
            Tree(3, None, leaves=(Leaf("a"),)),
        ),
        (
            {"count": 3, "leaves": [{"name": letter} for letter in "abcd"]},
            "leaves: found 4 items, expected at most 3",
            Tree(3, None, leaves=tuple(map(Leaf, "abc"))),
        ),
        (
            {"count": 3, "choice": {"speed": 1, "kind": "odd"}},
            "choice.kind: found 'odd', expected one of slow, fast",
            Tree(3, None),
        ),
        (
            {"count": 3, "choice": {"sped": 1}},
            "choice.sped: unknown key, expected one of speed, kind",
            Tree(3, None),
        ),
        (
            {"count": 3, "ends": {"a": 0, "b": 9}},
            "ends.a: found 0, expected a whole number from 1 to 9",
            Tree(3, None, ends={"b": 9}),
        ),
        (
            {"count": 3, "at": "0001-01-01"},
            "at: found '0001-01-01', expected a time such as 2026-11-20T09:07:00Z",
            Tree(3, None),
        ),
    ],
)
def test_a_fault_names_key_found_and_expected_and_costs_only_its_value(
    data: Any, fault: str, left: Tree | None
) -> None:
    assert from_plain(Tree, data) == (left, (fault,))


def test_gigantic_values_are_faults() -> None:
    data = {"count": 10**400, "loss": -(10**400), "kind": "x" * 10**6}
    tree, faults = from_plain(Tree, data)
    assert tree is None
    assert from_plain(Leaf, {"name": "x" * (LONGEST_TEXT + 1)})[0] is None
    assert all(len(fault) < 200 for fault in faults)


def test_a_fault_is_one_short_printable_line() -> None:
    data = {"count": 3, "ends": {"a\n\x1b[31m\ud800": 0, "b" * 10**5: 0}, "choice": {"\n": 1}}
    _, faults = from_plain(Tree, data)
    assert len(faults) == 3
    assert all(fault.isprintable() and len(fault) <= LONGEST_FAULT for fault in faults)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["count", "loss", "name", "share", "leaves", "choice", "ends", "at"])
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(anything)
def test_an_object_read_from_anything_is_valid(data: Any) -> None:
    tree, faults = from_plain(Tree, data)
    assert tree is not None or faults
    if tree is not None and not tree.extra:
        assert from_plain(Tree, to_plain(tree)) == (tree, ())
