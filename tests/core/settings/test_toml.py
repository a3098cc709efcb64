"""TOML text: unreadable or invalid files are refused, and the line of a key is found."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.settings.recipe_file import read_config
from core.settings.toml import MAX_BYTES, line_of
from tests.core.settings.configs import refused

TWICE = "; give each key and each table once, with quotes around names with dots"
QUOTES = '; expected "text" in quotes, a number such as 0.5, true or false'


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("seed = 1\nseed = 2\n", TWICE),
        ("[finetune]\n[finetune]\n", TWICE),
        ("[sparsity]\nlayer3 = 0.9\nlayer3.0.conv1 = 0.5\n", TWICE),
        ("\nrecipe = fast\n", QUOTES),
        ("seed = \n", QUOTES),
        ("seed\n", ""),
        ('model = "cnn5\n', ""),
        ('model = "a', ""),
    ],
)
def test_invalid_toml_is_refused_with_tomllibs_message(path: Path, text: str, hint: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    assert refused(path, text) == f": {caught.value!s}{hint}".replace("\n", "\\n")


def test_deep_nesting_is_refused(path: Path) -> None:
    assert refused(path, f"a = {'[' * 5000}") == ": nested too deeply"


def test_a_number_too_long_for_python_is_refused(path: Path) -> None:
    assert "limit" in refused(path, "seed = " + "9" * 5000)


# Files that cannot be read


def refused_file(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_config(path)
    return str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refused_file(path) == f"no such file: {path}"


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    assert refused_file(tmp_path).startswith(f"cannot read {tmp_path}: ")


def test_a_file_without_permission_says_so(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused_file(path) == f"cannot read {path}: Permission denied"


@pytest.mark.parametrize(
    ("data", "line"), [(b"seed = 1\n# \xff\n", 2), ("seed = 1".encode("utf-16"), 1)]
)
def test_a_file_that_is_not_utf_8_is_refused(path: Path, data: bytes, line: int) -> None:
    path.write_bytes(data)
    assert refused_file(path) == f"{path} line {line}: not UTF-8; save it as UTF-8"


def test_a_file_may_have_a_million_bytes_and_no_more(path: Path) -> None:
    path.write_bytes(b"seed = 1\n#" + b"x" * (MAX_BYTES - 10))
    assert read_config(path).values == {"seed": 1}
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert refused_file(path) == f"{path} is too large: expected at most 1,000,000 bytes"


def test_a_huge_file_is_not_read_to_its_end(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 34)
    assert "expected at most" in refused_file(path)


# The line of a key


@pytest.mark.parametrize(
    ("text", "keys", "line"),
    [
        ("a = 1\nb = 2", ("b",), 2),
        ("a = 1\r\n\r\nb = 2\r\n", ("b",), 3),
        ("a = 1", ("b",), None),
        ("[x]\na = 1", ("a",), None),
        ("a = 1\n[x]\na = 1", ("x", "a"), 3),
        ("[y]\na = 1\n[x]\n[y.x]\na = 1", ("y", "x", "a"), 5),
        ('"a" = 1', ("a",), 1),
        ("[ x . \"y.z\" ] # a = 1\n'a\\' = 1", ("x", "y.z", "a\\"), 2),
        ('"\\u0061" = 1', ("a",), 1),
        ("x.a = 1\nx.b = 2", ("x", "b"), 2),
        ("x.a = 1\nx.b = 2", ("x",), 1),
        ("x = { a = 1, b = { c = 1 } }", ("x", "b", "c"), 1),
        ("# a = 1\n  a = 1", ("a",), 2),
        ("s = '''\na = 1\n[x]\na = 1\n'''\n[x]\nb = 1\na = 1", ("x", "a"), 8),
        ('s = """\na = 1"""\na = 2', ("a",), 3),
        ('b = "a = 1"\na = [\n# [x]\n1,\n]\nc = 1', ("a",), 2),
        ('b = "a = 1"\na = [\n# [x]\n1,\n]\nc = 1', ("c",), 6),
        ("a = 'x\u2028y\x85z'\nb = 1", ("b",), 2),
        ("[[x]]\na = 1", ("x",), 1),
        ("a = 1\nb = 'a'", ("a", "b"), None),
    ],
)
def test_the_line_is_that_of_the_key(text: str, keys: tuple[str, ...], line: int | None) -> None:
    assert line_of(text, keys) == line


def test_if_finding_the_line_takes_too_long_only_the_key_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.settings.toml._MAX_SEARCHED", 10_000)
    text = "[sparsity]\na = [" + "0,\n" * 1000 + "]"
    assert refused(path, text) == ": a = [...]: expected a number from 0 to 1"
