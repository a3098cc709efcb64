"""The input lines: texts they accept, and hints for the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.experiments.run_record import RunRecord
from core.experiments.runs import DONE, Run
from tests.tui.scripted_nets import net
from tui.widgets.inputs.find_input import FindInput
from tui.widgets.inputs.line_input import LineInput
from tui.widgets.inputs.note_input import NoteInput
from tui.widgets.inputs.value_input import ValueInput

LAYERS = tuple(profile.layer for profile in net().profiles)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch):
    """Opens an input without a screen; its hints and values go into two lists."""

    def opened(box: LineInput, *args: object) -> tuple[list[tuple[str, bool]], list[object]]:
        hints: list[tuple[str, bool]] = []
        values: list[object] = []
        monkeypatch.setattr(box, "hint", lambda text, wrong: hints.append((text, wrong)))

        def open_line(prompt: str, text: str, take: object) -> None:
            box._take = take
            box.display = True

        monkeypatch.setattr(box, "open", open_line)
        box.ask(*args, values.append)
        return hints, values

    return opened


@pytest.mark.parametrize(
    ("text", "value"), [("97.25", 0.9725), ("100", 1.0), ("20", 0.2), ("7.", None)]
)
def test_a_percentage_is_taken_as_a_fraction(line, text: str, value: float | None) -> None:
    box = ValueInput()
    _, values = line(box, "conv1", 0.2, "2")
    box.take(text)
    assert values == ([] if value is None else [value])
    assert box.display == (value is None)


@pytest.mark.parametrize("text", ["", "101", "-1", "1.234", "nan", "19.9", "1e1"])
def test_text_that_is_no_sparsity_stays_in_the_input(line, text: str) -> None:
    box = ValueInput()
    hints, values = line(box, "conv1", 0.2, "2")
    box.check(text)
    box.take(text)
    assert (values, hints[-1][1], box.display) == ([], True, True)


def test_the_filter_applies_with_every_key_and_stays_if_it_matches(line) -> None:
    box, searches = FindInput(), []
    hints, values = line(box, LAYERS, "", searches.append)
    box.check("conv")
    box.check("attention")
    assert searches == ["", "conv", "attention"]
    assert [wrong for _, wrong in hints] == [False, False, True]
    box.take("attention")
    assert values == []
    box.blurred("attention")
    assert values == [None]


def test_an_unchanged_note_keeps_its_lines(line, tmp_path: Path) -> None:
    run = Run("0001", tmp_path, DONE, RunRecord(), note="first\nsecond")
    for text, value in (("first second", None), ("third", "third")):
        box = NoteInput()
        _, values = line(box, run)
        box.take(text)
        assert values == [value]


def test_a_closed_input_returns_none_once(line) -> None:
    box = ValueInput()
    _, values = line(box, "conv1", 0.0, "2")
    box.close()
    box.close()
    box.on_descendant_blur()
    assert (values, box.display) == ([None], False)
