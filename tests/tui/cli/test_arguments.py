"""Words of the command line that are wrong: the option meant is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli.add_options import COMMANDS
from tui.cli.main import main


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--modle lenet-5", "unrecognized option --modle: did you mean --model?"),
        ("--uniform 0.5", "write featherweight run --uniform"),
        ("--ratio=3", "write featherweight run --ratio"),
        ("--quick", "write featherweight scan --quick"),
        ("--frobnicate 3 run", "unrecognized option --frobnicate; see featherweight --help"),
        ("run --ration 4", "--ration 4: did you mean --ratio?; see featherweight run --help"),
        ("run --uniform", "--uniform: expected one argument; see featherweight run --help"),
        ("frob", "'frob'"),
    ],
)
def test_an_unknown_word_is_named_with_the_one_that_is_probably_meant(
    words: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_the_help_has_the_words_of_the_settings_only(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    text = capsys.readouterr().out
    assert "%%" not in text
    assert "option_strings" not in text
    assert "%(" not in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("train --to -", "give its path"),
        ("train --to {0}/taken.safetensors", "already exists"),
        ("train --to {0}/new.safetensors --json {0}/x/../new.safetensors", "would replace the net"),
        ("train --to {0}/0001/new.safetensors", "holds a run"),
        ("export --to {0}/new.fw --json {0}/new.fw", "would replace the net"),
        ("export --to {0}/0001/weights.safetensors", "holds a run"),
        ("table --json {0}/0001/run.json", "holds a run"),
        ("data fetch folder:{0}", "needs no fetching"),
    ],
)
def test_an_output_that_would_destroy_something_is_refused(
    words: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "0001").mkdir()
    for name in ("taken.safetensors", "0001/run.json", "0001/weights.safetensors"):
        (tmp_path / name).write_text("kept")
    assert main(words.format(tmp_path).split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert expected in line
    assert {path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {"kept"}
