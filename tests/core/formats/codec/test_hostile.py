"""Damaged and malicious files are refused clearly, fast, and within bounded memory."""

from __future__ import annotations

import random
import re
from hashlib import blake2b
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.formats.codec import CompactFile, Entry, Raw, Tied, decode, encode, inspect
from core.formats.codec.coder.stream import Stream
from core.formats.codec.container import DIGEST, MAGIC
from core.formats.codec.header import Header, code_header
from core.formats.codec.tensor_info import RAW, TensorInfo
from tests.core.formats.codec.files import nets
from tests.fuzz.codec import mutated, survives


@pytest.fixture(scope="module")
def file() -> bytes:
    """A file, made in a fixture: where no compiled coder is cached, encoding compiles it."""
    return encode(nets()["codebook"])


@pytest.fixture(scope="module")
def other() -> bytes:
    return encode(nets()["steps"])


def sealed(content: bytes) -> bytes:
    """Append a valid checksum."""
    return content + blake2b(content, digest_size=DIGEST).digest()


def test_a_file_cut_anywhere_is_refused(file: bytes) -> None:
    for length in range(len(file)):
        with pytest.raises(InputError, match="compact file"):
            decode(file[:length])


def test_a_file_with_any_bit_flipped_is_refused(file: bytes) -> None:
    for bit in range(8 * len(file)):
        data = bytearray(file)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InputError, match="compact file"):
            decode(bytes(data))


def test_two_files_spliced_are_refused(file: bytes, other: bytes) -> None:
    for cut in range(1, min(len(file), len(other))):
        spliced = file[:cut] + other[cut:]
        if spliced != other:  # they begin alike
            with pytest.raises(InputError, match="checksum"):
                decode(spliced)


def test_a_file_with_bytes_appended_is_refused(file: bytes) -> None:
    with pytest.raises(InputError, match="checksum"):
        decode(file + b"\0")
    with pytest.raises(InputError, match="extra bytes"):
        decode(sealed(file[:-DIGEST] + bytes([1] * 5)))
    with pytest.raises(InputError, match="extra bytes"):
        decode(sealed(file[:-DIGEST] + bytes(5)))


def test_an_unknown_version_is_refused(file: bytes) -> None:
    with pytest.raises(InputError, match=re.escape("version 2, expected 1")):
        decode(sealed(MAGIC + b"\2" + file[4:-DIGEST]))


def claimed(*shapes: tuple[int, ...]) -> bytes:
    """A file with only a header that declares tensors of these shapes."""
    stream = Stream()
    tensors = [TensorInfo(f"w{i}", shape, RAW, "float32") for i, shape in enumerate(shapes)]
    code_header(stream, Header("", tensors))
    return sealed(MAGIC + b"\1" + stream.end())


@pytest.mark.parametrize(
    "shapes",
    [
        ((10**6, 10**6),),
        ((2**31 - 1,) * 8,),
        ((2**30,),),
        ((2**21,),) * 30,
        ((0, 2**31 - 1),),
        ((2**31 - 1, 0),),
        ((2**23, 1),),
    ],
)
def test_a_file_that_declares_too_many_values_is_refused(
    shapes: tuple[tuple[int, ...], ...],
) -> None:
    data = claimed(*shapes)
    assert len(data) < 200
    start = process_time()
    with pytest.raises(InputError, match=r"declares \d+ values"):
        decode(data)
    assert process_time() - start < 1


def test_padding_does_not_lift_the_limit_on_values() -> None:
    """A file of a megabyte could otherwise claim a hundred gigabytes of memory."""
    data = sealed(claimed((2**30,))[:-DIGEST] + bytes(2**20))
    with pytest.raises(InputError, match=f"expected at most {2**28}"):
        decode(data)


def test_the_callers_limit_on_values_holds(file: bytes) -> None:
    with pytest.raises(InputError, match="expected at most 100"):
        decode(file, max_elements=100)
    decode(file, max_elements=2182)


def test_a_large_net_without_nonzeros_is_read() -> None:
    words = np.zeros((3000, 2000), np.uint32)
    entry = Entry("w", words.shape, Raw("float32", words))
    data = encode(CompactFile("", (entry, Entry("v", words.shape, Tied("w")))))
    inspection = inspect(data)
    assert len(data) < 600
    assert inspection.nonzero == 0
    with pytest.raises(InputError, match="expected at least"):
        decode(sealed(data[: -DIGEST - 1]))


@settings(max_examples=150)
@given(st.binary(max_size=60))
def test_random_streams_are_read_or_refused(stream: bytes) -> None:
    survives(sealed(MAGIC + b"\1" + stream))


def test_mutations_with_a_valid_checksum_are_read_or_refused(file: bytes, other: bytes) -> None:
    rng = random.Random(0)
    for _ in range(200):
        survives(mutated(rng, [file, other]))
