"""The recording of the demo: its cast, its frames, and the animation drawn from them."""

from __future__ import annotations

import os
import re
import sys
from itertools import accumulate, groupby
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screenshots.animation import animated
from screenshots.cast import Cast, record
from screenshots.film import FRAMES, LONGEST, Frame, frames, retold
from screenshots.glyphs import boxes
from screenshots.record import ANIMATION, CAST, drawn
from tui.demo.script import SCRIPT

SVG = "{http://www.w3.org/2000/svg}"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 10**6).map(lambda ms: ms / 1000), st.text())))
def test_a_cast_is_read_as_it_was_written(output):
    cast = Cast(80, 24, "a title", tuple(output))
    assert Cast.of_text(cast.text()) == cast


def test_a_program_is_recorded_and_gets_keys():
    script = "print('ready'); print('got', input())"
    cast = record(
        [sys.executable, "-c", script],
        40,
        10,
        "",
        os.environ,
        lambda text: "yes\n" if "ready" in text else "",
    )
    text = "".join(text for _, text in cast.output)
    assert "got yes" in text
    assert [at for at, _ in cast.output] == sorted(at for at, _ in cast.output)


CAPTIONS = ("one", "two")
SHORT = Cast(
    30,
    3,
    "",
    tuple(
        (second + 100 * place, f"\x1b[1;1H\x1b[31m{second:03}\x1b[m █⣿│ bytes\x1b[3;1H {caption} ")
        for place, caption in enumerate(CAPTIONS)
        for second in range(50 if place else 2)
    ),
)


def test_long_captions_are_shown_faster_and_end_as_they_did():
    film = frames(SHORT)
    for caption, group in groupby(film, key=lambda frame: text_of(frame, 2)):
        shown = [*group]
        assert caption.strip() in CAPTIONS
        assert len(shown) <= FRAMES
        assert sum(frame.seconds for frame in shown) <= LONGEST + 1e-9
    assert text_of(film[-1], 0).startswith("049")


def test_a_cast_of_the_frames_has_the_same_frames():
    film = frames(SHORT)
    again = frames(retold(film, SHORT))
    assert len(again) == len(film)
    assert all(one.rows == other.rows for one, other in zip(again, film, strict=True))
    lengths = [frame.seconds for frame in film]
    assert [frame.seconds for frame in again][:-1] == pytest.approx(lengths[:-1])


def text_of(frame: Frame, y: int) -> str:
    return "".join(cells.text for cells in frame.rows[y])


def test_every_row_of_the_animation_shows_what_its_frame_does():
    film = frames(SHORT)
    root = ElementTree.fromstring(animated(film, SHORT.columns, "a <title>"))
    style = root.findtext(f"{SVG}style") or ""
    total = sum(frame.seconds for frame in film)
    begins = [0.0, *accumulate(frame.seconds for frame in film)]
    for frame, begin in zip(film, begins, strict=False):
        share = 100 * begin / total + 0.05
        for y, row in enumerate(root.findall(f"{SVG}svg/{SVG}g")):
            groups = [group for group in row if is_visible(style, group.get("class", ""), share)]
            texts = (text for group in groups for text in group.iter(f"{SVG}text"))
            drawn = " ".join("".join(text.itertext()) for text in texts)
            told = "".join(" " if boxes(char, 1.0) else char for char in text_of(frame, y))
            assert drawn.split() == told.split()


def is_visible(style: str, classes: str, share: float) -> bool:
    """Whether something with these classes is visible at a share of the time."""
    times = re.search(r"\bt\d+", classes)
    if times is None:
        return True
    rules = re.search(rf"@keyframes {times[0]}{{(.*?)}}}}", style)
    changes = re.findall(r"([\d.]+)%{visibility:(\w+)", rules[1])
    return [word for at, word in changes if float(at) <= share][-1] == "visible"


@pytest.mark.slow
def test_the_recording_is_drawn_from_its_cast_and_tells_the_story_as_it_is_now():
    cast = Cast.of_text(CAST.read_text(encoding="utf-8"))
    film = frames(cast)
    is_drawn = drawn(cast) == ANIMATION.read_text(encoding="utf-8")
    assert is_drawn, "python -m screenshots.record --again draws it"
    assert ANIMATION.stat().st_size <= 500_000
    shown = {text_of(frame, cast.rows - 1).strip() for frame in film}
    for step in SCRIPT:
        said = re.sub(r"\\{[\w\\-]+\\}", ".+", re.escape(step.caption))
        assert any(re.match(said, caption) for caption in shown), step.caption
