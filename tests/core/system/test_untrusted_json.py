"""Untrusted JSON files and safetensors headers: an object, or a one-line fault."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from core.system.error_text import reason
from core.system.untrusted_json import (
    FaultError,
    from_json,
    open_file,
    read_header_json,
    read_json,
    read_metadata,
    to_json,
)

OBJECTS = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)  # fmt: skip


@given(OBJECTS)
def test_an_object_is_read_as_written(data: dict[str, Any]) -> None:
    assert from_json(to_json(data), "file") == data


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_anything_else_is_an_object_or_a_one_line_fault(data: bytes | str) -> None:
    message = "run.json is not "
    try:
        assert isinstance(from_json(data, "run.json"), dict)
    except FaultError as fault:
        message = str(fault)
    assert message.startswith("run.json is not ")
    assert "\n" not in message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_infinite_numbers_and_nan_are_faults(number: str) -> None:
    with pytest.raises(FaultError, match="not a finite number"):
        from_json(f'{{"loss": {number}}}', "run.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"loss": float(number)})


def test_deep_nesting_is_a_fault() -> None:
    with pytest.raises(FaultError, match="is not JSON"):
        from_json("[" * 100_000, "run.json")


def test_missing_files_folders_and_pipes_are_faults_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe", "absent"):
        message = "is missing" if name == "absent" else "is not a file"
        with pytest.raises(FaultError, match=message):
            read_json(tmp_path / name)


def test_a_checkpoints_json_is_in_its_header(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    facts = json.dumps({"epoch": 3})
    save_file({"weight": torch.ones(5)}, path, {"facts": facts})
    with open_file(path) as file:
        assert read_header_json(file) == {"epoch": 3}


@given(data=st.data())
def test_a_checkpoint_of_the_wrong_length_is_a_fault(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "checkpoint.safetensors"
    save_file({"weight": torch.ones(5)}, path, {"facts": "{}"})
    whole = path.read_bytes()
    length = data.draw(st.integers(0, len(whole) + 9).filter(lambda length: length != len(whole)))
    path.write_bytes((whole + bytes(9))[:length])
    with open_file(path) as file, pytest.raises(FaultError, match=r"checkpoint\.safetensors"):
        read_metadata(file)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("two\n  lines"), "two lines"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_reason_is_a_few_words_on_one_line(error: Exception, text: str) -> None:
    assert reason(error) == text
