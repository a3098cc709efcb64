"""Files decode to exactly what was encoded."""

from __future__ import annotations

from hypothesis import given, settings

from core.formats.codec import CompactFile, decode, encode, inspect
from tests.core.formats.codec.files import assert_same, compact_files


@settings(max_examples=80)
@given(compact_files())
def test_a_file_decodes_to_what_was_encoded(file: CompactFile) -> None:
    data = encode(file)
    assert_same(decode(data), file)
    assert encode(file) == data


@settings(max_examples=25)
@given(compact_files())
def test_the_parts_add_up_to_the_files_size(file: CompactFile) -> None:
    data = encode(file)
    inspection = inspect(data)
    assert sum(inspection.parts.values()) == inspection.bytes == len(data)
    assert min(inspection.parts.values()) >= 0
