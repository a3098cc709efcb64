"""Arrays in MATLAB files, whole and damaged."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.data.formats.matlab import read_arrays
from tests.core.data.sources.hosted import matlab

KINDS = st.sampled_from(["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8"]).map(np.dtype)
SHAPES = arrays.array_shapes(min_dims=2, max_dims=4, max_side=4)
FILES = st.dictionaries(st.from_regex("[a-z]{1,9}", fullmatch=True), arrays.arrays(KINDS, SHAPES))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matlab") / "some.mat"


@settings(max_examples=30)
@given(named=FILES, compressed=st.booleans(), order=st.sampled_from("<>"))
def test_arrays_of_all_types_are_read(
    file: Path, named: dict[str, np.ndarray], compressed: bool, order: str
) -> None:
    file.write_bytes(matlab(named, compressed=compressed, order=order))
    found = read_arrays(file)
    assert list(found) == list(named)
    for name, array in named.items():
        np.testing.assert_array_equal(found[name], array)


@settings(max_examples=30)
@given(data=st.data(), compressed=st.booleans())
def test_a_damaged_file_is_refused_or_read(
    file: Path, data: st.DataObject, compressed: bool
) -> None:
    whole = bytearray(matlab({"X": np.arange(24).reshape(2, 3, 4)}, compressed=compressed))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with suppress(ValueError, struct.error, zlib.error):
        assert len(read_arrays(file)) <= 1


def test_what_is_not_an_array_of_numbers_is_left_out(file: Path) -> None:
    text = struct.pack("<II", 16, 8) + b"eight by"
    structure = struct.pack("<II", 14, len(text)) + text
    file.write_bytes(matlab({"y": np.ones((2, 1))}, compressed=False) + structure)
    assert list(read_arrays(file)) == ["y"]
