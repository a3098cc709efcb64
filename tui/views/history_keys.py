"""The keys at the bottom of the history: the applicable ones, as many as fit."""

from collections.abc import Iterable
from dataclasses import replace

from core.experiments.runs import INTERRUPTED
from tui.keys.history_keys import KEYS
from tui.keys.keys import Key
from tui.state.browsing import Browsing
from tui.state.runs import SPLITS

IMPORTANCE = ("enter", "q", "space", "n", "x", "v", "?", "s", "] →")
"""The keys of the bottom line; on narrow screens the last ones are dropped first."""


def footer_keys(browsing: Browsing, all_views: bool, width: int) -> tuple[Key, ...]:
    """The keys for the bottom line, labeled with what they do now, as many as fit."""
    applicable = {key.shown: key for key in _applicable(browsing, all_views)}
    room, fitted = width, set()
    for shown in IMPORTANCE:
        if (key := applicable.get(shown)) is not None:
            room -= key.width
            if room < 0:
                break
            fitted.add(shown)
    return tuple(key for shown, key in applicable.items() if shown in fitted)


def _applicable(browsing: Browsing, all_views: bool) -> Iterable[Key]:
    row = browsing.chosen
    for key in (key for key in KEYS if key.footer):
        match key.name:
            case "help" | "leave":
                yield key
            case _ if row is None:
                pass
            case "open":
                if row.openable:
                    yield replace(key, label="resume" if row.status == INTERRUPTED else "continue")
            case "mark":
                yield replace(key, label="unmark" if browsing.marked else "mark")
            case "next_view" if browsing.compared is None:
                other = next(split for split in SPLITS if split != browsing.split)
                yield replace(key, label=other)
            case "next_view" if all_views:
                pass
            case "layer" if browsing.compared is None:
                pass
            case _:
                yield key
