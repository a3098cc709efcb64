"""A pickle is read as data: as Python reads it where it is plain, and never run."""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.formats.torch_files import pickle_data
from core.formats.torch_files.pickle_data import Global, Made, Persistent, read_pickle
from core.system.untrusted_json import FaultError


def read(data: bytes) -> Any:
    return read_pickle(BytesIO(data), len(data)).root


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
)
KEYS = st.none() | st.integers() | st.text() | st.floats(allow_nan=False)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PLAIN, st.integers(3, pickle.HIGHEST_PROTOCOL))
def test_plain_data_are_what_python_reads(data: Any, protocol: int) -> None:
    assert read(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read(protocol: int) -> None:
    data = {"a": [1, -(2**70), 1.5, True, None, "ä"], "b": ((), (1,), (1, 2), (1, 2, 3, 4)), 7: {}}
    assert read(pickle.dumps(data, protocol)) == data
    shared: list[Any] = [1]
    one, other = read(pickle.dumps([shared, shared], protocol))
    assert one is other
    assert sorted(read(pickle.dumps([{1, 2}], 4))[0]) == [1, 2]


def test_objects_are_descriptions() -> None:
    found = read(pickle.dumps(argparse.Namespace(lr=0.1)))
    assert isinstance(found, Made)
    assert (found.name, found.state) == ("argparse.Namespace", {"lr": 0.1})
    ordered: OrderedDict[str, int] = OrderedDict(a=1)
    ordered.note = "kept"  # type: ignore[attr-defined]
    found = read(pickle.dumps(ordered))
    assert (found.name, found.items, found.state) == (
        "collections.OrderedDict",
        {"a": 1},
        {"note": "kept"},
    )
    found = read(pickle.dumps(os.path.join))
    assert isinstance(found, Global)
    assert found.name == "posixpath.join"


class Call:
    """Unpickles as a call."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


class Update:
    """Unpickles as an object whose state is set by a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __setstate__(self, state: dict[str, Path]) -> None:
        state["path"].touch()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def attacks(trace: Path) -> dict[str, bytes]:
    """Pickles that would create the file `trace` if Python read them, and how they call it."""
    argument = text(f"touch {trace}")
    system = b"cos\nsystem\n"
    return {
        "call": pickle.dumps(Call(os.system, f"touch {trace}")),
        "call inside": pickle.dumps({"state_dict": [Call(os.system, f"touch {trace}")]}),
        "state": pickle.dumps(Update(trace)),
        "looked up": pickle.dumps(Call(getattr, Call(__import__, "os"), "system")),
        "protocol 0": b"cos\nsystem\n(S'touch " + str(trace).encode() + b"'\ntR.",
        "global on the stack": b"\x80\x04" + text("os") + text("system") + b"\x93" + argument
        + b"\x85R.",
        "instance": b"(" + argument + b"ios\nsystem\n.",
        "object": b"(" + system + argument + b"o.",
        "new object": b"\x80\x02" + system + argument + b"\x85\x81.",
        "new object with names": b"\x80\x04" + system + argument + b"\x85}\x92.",
        "persistent": b"\x80\x02" + system + argument + b"\x85RQ.",
        "extension": b"\x80\x02\x82\x01" + argument + b"\x85R.",
        "key": b"\x80\x02}" + system + argument + b"\x85RK\x01s.",
        "state of a list": b"\x80\x02]" + system + argument + b"\x85Rb.",
    }  # fmt: skip


def test_no_attack_runs(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pickle.loads(attacks(trace)["protocol 0"])
    assert trace.exists(), "an attack works on Python's own pickle"
    trace.unlink()
    for name, attack in attacks(trace).items():
        assert isinstance(read(attack), Made | Persistent | list | dict), name
    assert not trace.exists()


def test_no_module_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_by_a_pickle.py").write_text("class Thing: pass")
    monkeypatch.syspath_prepend(tmp_path)
    found = read(b"\x80\x02cimported_by_a_pickle\nThing\n)\x81}b.")
    assert found.name == "imported_by_a_pickle.Thing"
    assert "imported_by_a_pickle" not in sys.modules


DEPTH = 20_000

DEEP = {
    "lists": b"\x80\x02" + b"]" * DEPTH + b"a" * (DEPTH - 1) + b".",
    "tuples as a key": b"\x80\x02})" + b"\x85" * DEPTH + b"K\x01s.",
    "a key of doubled tuples": b"\x80\x02})" + b"2\x86" * 100 + b"K\x01s.",
    "calls": b"\x80\x02cos\nsystem\n" + b")R" * DEPTH + b".",
    "marks": b"\x80\x02" + b"(" * DEPTH + b"t" * DEPTH + b".",
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_and_doubled_objects_take_no_time_and_no_stack(name: str) -> None:
    found = read(DEEP[name])
    assert isinstance(found, list | dict | tuple | Made)
    if isinstance(found, Made):
        assert found.name == "os.system"


BROKEN = {
    "nothing": b"",
    "no end": b"\x80\x02]",
    "empty stack": b"\x80\x02.",
    "no mark": b"\x80\x02t.",
    "no memo": b"\x80\x02h\x05.",
    "an unknown operation": b"\x80\x02\xff.",
    "a text of 4 GB": b"\x80\x02X\xff\xff\xff\xffa.",
    "a text of 2^62 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"a.",
    "bytes of 2^63": b"\x80\x04\x8e" + struct.pack("<Q", (1 << 64) - 1) + b"a.",
    "a number of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
    "a frame of 2^60 bytes": b"\x80\x04\x95" + struct.pack("<Q", 1 << 60) + b"]",
    "half a number": b"\x80\x02J\x00",
    "items of a number": b"\x80\x02K\x01(K\x01K\x02u.",
    "an item without a value": b"\x80\x02}(K\x01u.",
    "a global without a name": b"\x80\x04]]\x93.",
    "a buffer outside": b"\x80\x05\x97.",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_pickle_is_refused(name: str) -> None:
    with pytest.raises(FaultError, match="its pickle"):
        read(BROKEN[name])


@given(PLAIN, st.data())
def test_any_bytes_are_data_or_refused(data: Any, draw: st.DataObject) -> None:
    content = bytearray(pickle.dumps([Call(os.getcwd), data], draw.draw(st.integers(0, 5))))
    for _ in range(draw.draw(st.integers(1, 3))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(FaultError):
        read(bytes(content))


def test_a_pickle_of_too_many_steps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_data, "MOST_STEPS", 100)
    assert len(read(pickle.dumps(list(range(20))))) == 20
    with pytest.raises(FaultError, match="more than 100 steps"):
        read(pickle.dumps(list(range(200))))
