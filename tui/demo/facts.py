"""What the captions know: numbers of the state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui.keys.keymap import with_keys
from tui.system.paths import with_tilde
from tui.text.format import count, percent, ratio
from tui.text.units import size

if TYPE_CHECKING:
    from core.events import Accuracy
    from tui.state.results import Result
    from tui.state.state import State

UNKNOWN = "–"

FACTS = (
    *("layers", "parameters", "before", "ratio", "kept", "removed", "share"),
    *("dense", "pruned", "finetuned", "file", "path"),
)
"""The names of all facts; other names in braces are those of actions."""

_NAMED = re.compile(r"\{(\w+)\}")


def caption(template: str, state: State) -> str:
    """A caption with its facts, and the keys of the actions that it names."""
    known = facts(state)

    def fact(match: re.Match[str]) -> str:
        return known.get(match[1], UNKNOWN) if match[1] in FACTS else match[0]

    return with_keys(_NAMED.sub(fact, template))


def facts(state: State) -> Mapping[str, str]:
    """The facts that are known, by name."""
    if state.base is None:
        return {}
    plan = state.footprint
    return {
        "layers": count(len(state.profiles)),
        "parameters": count(plan.parameters),
        "before": size(4 * plan.parameters),
        "ratio": ratio(plan.ratio),
        "kept": count(plan.nonzero),
        "removed": count(plan.parameters - plan.nonzero),
        "share": f"{100 * plan.nonzero / plan.parameters:.1f}",
        "dense": _right(state.dense.accuracy if state.dense else None),
        "pruned": _right(state.pruned.accuracy if state.pruned else None),
        **_of_finetuned(state.finetuned),
    }


def _of_finetuned(result: Result | None) -> Mapping[str, str]:
    if result is None:
        return {}
    known = {"finetuned": _right(result.accuracy)}
    if result.exports:
        export = result.exports[-1]
        known |= {"file": size(export.bytes), "path": with_tilde(Path(export.file))}
    return known


def _right(accuracy: Accuracy | None) -> str:
    return UNKNOWN if accuracy is None else percent(accuracy.test)
