"""FORMAT.md is complete: a decoder written from it reads every file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from core.formats.codec import CompactFile, Tied, decode, dense, encode
from core.formats.codec.coder import models as ours
from core.formats.codec.coder.text_primer import PRIMER
from core.formats.codec.compact import DTYPES
from core.formats.codec.zoo_shapes import LAYOUTS
from tests.core.formats.codec.files import compact_files, nets
from tests.core.formats.codec.reference import TYPES, Decoder
from tests.core.formats.codec.reference_bits import TABLES


def assert_reads_the_same(data: bytes, large: int = ours.MAX_ELEMENTS) -> None:
    file, decoder = decode(data), Decoder(data, large)
    assert (decoder.model, decoder.facts) == (file.model, file.facts)
    assert [(entry.name, entry.shape) for entry in decoder.tensors] == [
        (entry.name, entry.shape) for entry in file.entries
    ]
    by_name = {entry.name: entry for entry in file.entries}
    for entry, tensor in zip(file.entries, decoder.tensors, strict=True):
        values = entry.values
        while isinstance(values, Tied):
            values = by_name[values.to].values
        dtype, words = dense(values)
        assert tensor.type == dtype
        assert tensor.words == words.reshape(-1).tolist()


@settings(max_examples=30)
@given(compact_files())
def test_the_reference_decoder_reads_any_small_file(file: CompactFile) -> None:
    assert_reads_the_same(encode(file))


@pytest.mark.parametrize("name", sorted(nets()))
def test_the_reference_decoder_reads_small_nets(name: str) -> None:
    assert_reads_the_same(encode(nets()[name]))


@pytest.mark.parametrize("name", ["raw", "ordered"])
def test_the_reference_decoder_reads_large_tensors(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "MAX_ELEMENTS", 60)
    assert_reads_the_same(encode(nets()[name]), 60)


def test_the_tables_of_the_reference_decoder_match_the_codec() -> None:
    assert TABLES["flag_weights"] == [list(row) for row in ours.FLAG_WEIGHTS]
    assert TABLES["mask_weights"] == [list(row) for row in ours.MASK_WEIGHTS]
    assert TABLES["mask_settings"] == [list(row) for row in ours.MASK_SETTINGS]
    assert TABLES["sign_weights"] == [list(row) for row in ours.SIGN_WEIGHTS]
    assert TABLES["bin_weights"] == [list(row) for row in ours.BIN_WEIGHTS]
    assert TABLES["symbol_settings"] == [list(row) for row in ours.SYMBOL_SETTINGS]
    assert TABLES["primer"].encode() == PRIMER
    assert tuple(DTYPES) == tuple(TYPES)
    assert json.loads(json.dumps([[layout.model, layout.shapes] for layout in LAYOUTS])) == [
        [layout["model"], layout["tensors"]] for layout in TABLES["layouts"]
    ]
