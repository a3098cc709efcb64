"""The keys at the bottom of the history."""

from collections.abc import Iterator
from dataclasses import replace

from core.experiments.runs import INTERRUPTED
from core.pruning.curves import SPLITS
from tui.keys.history_keys import KEYS
from tui.keys.key import Key
from tui.state.run_list import RunList


def footer_keys(run_list: RunList, all_views: bool) -> Iterator[Key]:
    """The keys that apply now, labeled with what they do."""
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
