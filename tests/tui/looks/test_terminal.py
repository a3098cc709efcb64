"""What each terminal gets: its colors, and ASCII where it needs it."""

from __future__ import annotations

import pytest

from core.errors import InputError
from tui.looks.terminal import Look, check_terminal, look_of
from tui.looks.themes import check_theme

TRUE = 2**24


@pytest.mark.parametrize(
    ("environment", "color_system", "encoding", "look"),
    [
        ("xterm-256color", "truecolor", "utf-8", Look("featherweight-dark", False, TRUE)),
        ("tmux-256color", "256", "utf-8", Look("featherweight-dark", False, 256)),
        ("xterm-256color", "256", "ISO-8859-1", Look("featherweight-dark", True, 256)),
        ("xterm", "standard", "utf-8", Look("ansi-dark", False, 16)),
        ("linux", "standard", "utf-8", Look("ansi-dark", True, 16)),
        ("vt100", "standard", "utf-8", Look("ansi-dark", True, 0)),
        ("", None, "utf-8", Look("ansi-dark", False, 16)),
    ],
)
def test_a_terminal_gets_the_look_that_suits_it(
    environment: str, color_system: str, encoding: str, look: Look
) -> None:
    suits = look_of(
        {"TERM": environment},
        encoding=encoding,
        color_system=color_system,
        theme=None,
        ascii_only=None,
    )
    assert suits == look


@pytest.mark.parametrize(
    ("colors", "theme"),
    [("15;0", "ansi-dark"), ("0;15", "ansi-light"), ("0;default;7", "ansi-light")],
)
def test_a_terminals_own_colors_follow_its_background(colors: str, theme: str) -> None:
    suits = look_of(
        {"TERM": "xterm", "COLORFGBG": colors},
        encoding="utf-8",
        color_system="standard",
        theme=None,
        ascii_only=None,
    )
    assert suits.theme == theme


def test_the_locale_of_ascii_gets_ascii() -> None:
    """Python writes UTF-8 there."""
    environment = {"TERM": "xterm-256color", "LC_ALL": "C"}
    suits = look_of(environment, encoding="utf-8", color_system="256", theme=None, ascii_only=None)
    assert suits.ascii_only


def test_what_is_chosen_is_taken() -> None:
    for ascii_only in (True, False):
        suits = look_of(
            {"TERM": "linux"},
            encoding="ascii",
            color_system="standard",
            theme="nord",
            ascii_only=ascii_only,
        )
        assert suits == Look("nord", ascii_only, 16)


def test_a_terminal_that_cannot_move_its_cursor_is_refused() -> None:
    check_terminal({"TERM": "vt100"})
    check_terminal({})
    with pytest.raises(InputError, match="set TERM=xterm-256color"):
        check_terminal({"TERM": "dumb"})


def test_an_unknown_theme_is_refused_with_the_list_ours_first() -> None:
    check_theme("featherweight-light")
    with pytest.raises(InputError, match="one of featherweight-dark, featherweight-light, ansi-"):
        check_theme("paper")
