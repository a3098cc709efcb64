"""Facts in files that nobody has checked: read whole, or a fault of one line."""

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

FACTS = st.dictionaries(
    st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)  # fmt: skip


@given(FACTS)
def test_facts_come_back_as_they_were_written(facts: dict[str, Any]) -> None:
    assert from_json(to_json(facts), "it") == facts


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_other_contents_are_facts_or_a_fault_of_one_line(data: bytes | str) -> None:
    said = "run.json is not "
    try:
        assert isinstance(from_json(data, "run.json"), dict)
    except FaultError as fault:
        said = str(fault)
    assert said.startswith("run.json is not ")
    assert "\n" not in said


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_no_facts(number: str) -> None:
    with pytest.raises(FaultError, match="not a finite number"):
        from_json(f'{{"loss": {number}}}', "run.json")
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"loss": float(number)})


def test_nesting_without_end_is_a_fault() -> None:
    with pytest.raises(FaultError, match="is not JSON"):
        from_json("[" * 100_000, "run.json")


def test_a_missing_file_a_folder_and_a_pipe_are_faults_and_none_is_waited_for(
    tmp_path: Path,
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("absent", "is missing"), (".", "is not a file"), ("pipe", "is not a file")):
        with pytest.raises(FaultError, match=said):
            read_json(tmp_path / name)


def test_facts_in_a_checkpoint_are_those_of_its_header(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    facts = json.dumps({"epoch": 3})
    save_file({"weight": torch.ones(5)}, path, {"facts": facts})
    with open_file(path) as file:
        assert read_header_json(file) == {"epoch": 3}


@given(data=st.data())
def test_a_checkpoint_that_is_cut_short_or_longer_is_a_fault(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "checkpoint.safetensors"
    save_file({"weight": torch.ones(5)}, path, {"facts": "{}"})
    whole = path.read_bytes()
    length = data.draw(st.integers(0, len(whole) + 9).filter(lambda it: it != len(whole)))
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
