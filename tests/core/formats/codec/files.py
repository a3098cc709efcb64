"""Compact files for tests: hypothesis strategies and random nets."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.formats.codec import Codebook, CompactFile, Entry, Raw, Steps, Tied, dense
from core.formats.codec.codebook_coding import floats
from core.formats.codec.compact import CODEBOOK_DTYPES, DTYPES, Values

shapes = st.lists(st.integers(0, 6), max_size=5).map(tuple)
names = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)


@st.composite
def raws(draw: st.DrawFn, shape: tuple[int, ...]) -> Raw:
    dtype = draw(st.sampled_from(sorted(DTYPES)))
    most = 1 if dtype == "bool" else 2 ** DTYPES[dtype].bits - 1
    words = st.one_of(st.just(0), st.integers(0, most))
    return Raw(dtype, draw(arrays(DTYPES[dtype].words, shape, elements=words)))


@st.composite
def codebooks(draw: st.DrawFn, shape: tuple[int, ...]) -> Codebook:
    dtype = draw(st.sampled_from(CODEBOOK_DTYPES))
    kind = DTYPES[dtype]
    sign = 1 << (kind.bits - 1)
    finite = ((1 << kind.exponent) - 1) << kind.mantissa
    words = draw(st.sets(st.integers(1, finite - 1), min_size=1, max_size=9))
    flipped = [word | (sign * draw(st.booleans())) for word in sorted(words)]
    values = np.sort(floats(np.array(flipped, kind.words), dtype))
    codes = draw(arrays(np.int16, shape, elements=st.integers(0, len(words))))
    return Codebook(dtype, values, codes)


@st.composite
def steps(draw: st.DrawFn, shape: tuple[int, ...]) -> Steps:
    most = draw(st.sampled_from([1, 3, 100, 2**24]))
    codes = draw(arrays(np.int32, shape, elements=st.integers(-most, most)))
    step = draw(st.floats(2.0**-149, 2.0**100, width=32))
    return Steps(step, codes)


@st.composite
def compact_files(draw: st.DrawFn) -> CompactFile:
    entries: list[Entry] = []
    for name in draw(st.lists(names, max_size=5, unique=True)):
        untied = [entry for entry in entries if not isinstance(entry.values, Tied)]
        if untied and draw(st.integers(0, 4)) == 0:
            to = draw(st.sampled_from(untied))
            entries.append(Entry(name, to.shape, Tied(to.name)))
            continue
        shape = draw(shapes)
        kind = draw(st.sampled_from([raws, codebooks, steps]))
        entries.append(Entry(name, shape, draw(kind(shape))))
    plain = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
    facts = draw(st.dictionaries(st.text(max_size=5), plain, max_size=3))
    return CompactFile("", tuple(entries), facts)


def assert_same(one: CompactFile, other: CompactFile) -> None:
    assert (one.model, dict(one.facts)) == (other.model, dict(other.facts))
    assert [(entry.name, entry.shape) for entry in one.entries] == [
        (entry.name, entry.shape) for entry in other.entries
    ]
    for a, b in zip(one.entries, other.entries, strict=True):
        assert _comparable(a.values) == _comparable(b.values), a.name


def _comparable(values: Values) -> Any:
    """Values in comparable form: bits, not numbers."""
    match values:
        case Tied(to):
            return to
        case Raw(dtype, words):
            return dtype, words.shape, words.dtype, words.tobytes()
        case Codebook(dtype, book, codes):
            return dtype, book.tobytes(), codes.shape, codes.tobytes(), _bits(values)
        case Steps(step, codes):
            return step, codes.shape, codes.tobytes(), _bits(values)


def _bits(values: Codebook | Steps) -> tuple[str, bytes]:
    dtype, words = dense(values)
    return dtype, words.tobytes()


def nets() -> dict[str, CompactFile]:
    """Small nets for cases random tensors miss: long ordered masks, large steps."""
    return {name: _net(name) for name in ("codebook", "steps", "raw", "ordered", "dense")}


def _net(name: str) -> CompactFile:
    draw = np.random.default_rng(len(name))
    shapes = {
        "conv1.weight": (6, 1, 3, 3),
        "conv1.bias": (6,),
        "conv2.weight": (8, 6, 3, 3),
        "conv2.bias": (8,),
        "fc1.weight": (20, 72),
        "fc1.bias": (20,),
        "fc2.weight": (4, 20),
        "fc2.bias": (4,),
    }
    entries = []
    for key, shape in shapes.items():
        mask = draw.random(shape) < (1.0 if name == "dense" else 0.15)
        if name in ("codebook", "ordered"):
            codes = np.where(mask, draw.integers(1, 6, shape), 0).astype(np.int16)
            if name == "ordered":
                rows = codes.reshape(len(codes), -1)
                order = sorted(range(len(rows)), key=lambda o: tuple(rows[o] != 0), reverse=True)
                codes = codes[order]
            book = np.array([-2, -1, 0.5, 1, 4], np.float32)
            entries.append(Entry(key, shape, Codebook("bfloat16", book, codes)))
        elif name == "steps":
            codes = np.where(mask, draw.integers(-40, 41, shape), 0).astype(np.int32)
            entries.append(Entry(key, shape, Steps(0.25, codes)))
        else:
            words = draw.normal(size=shape).astype(np.float32).view(np.uint32)
            entries.append(Entry(key, shape, Raw("float32", np.where(mask, words, np.uint32(0)))))
    return CompactFile("", tuple(entries), {"dataset": "mnist", "image_size": 28})
