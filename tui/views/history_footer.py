"""The keys at the bottom of the history: the applicable ones, as many as fit."""

from collections.abc import Iterable
from dataclasses import replace

from core.experiments.runs import INTERRUPTED
from core.pruning.curves import SPLITS
from tui.keys.history_keys import KEYS
from tui.keys.main_keys import Key
from tui.state.run_list import RunList

IMPORTANCE = ("Enter", "q", "Space", "n", "Delete", "v", "?", "s", "] →")
"""The keys of the bottom line; on narrow screens the last ones are dropped first."""


def footer_keys(run_list: RunList, all_views: bool, width: int) -> tuple[Key, ...]:
    """The keys for the bottom line, labeled with what they do now, as many as fit."""
    applicable = {key.shown: key for key in _applicable(run_list, all_views)}
    room, fitted = width, set()
    for shown in IMPORTANCE:
        if (key := applicable.get(shown)) is not None:
            room -= key.width
            if room < 0:
                break
            fitted.add(shown)
    return tuple(key for shown, key in applicable.items() if shown in fitted)


def _applicable(run_list: RunList, all_views: bool) -> Iterable[Key]:
    row = run_list.selected
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
                yield replace(key, label="unmark" if run_list.marked else "mark")
            case "next_view" if run_list.compared is None:
                other = next(split for split in SPLITS if split != run_list.split)
                yield replace(key, label=other)
            case "next_view" if all_views:
                pass
            case "layer" if run_list.compared is None:
                pass
            case _:
                yield key
