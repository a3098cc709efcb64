"""Events of a sweep as JSON objects and back. What is read is checked, as any file is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.events import Epoch, Event, Measured, Notice
from core.executors.events import TrialBegan, TrialLabel, TrialLost, TrialReported
from core.experiments.run_record import RunRecord
from core.sweep.live.events import (
    SweepBegan,
    SweepOver,
    SweepPlanned,
    SweepProgress,
    TrialEnded,
    TrialStopped,
    TrialStopping,
)
from core.system.typed_json import from_plain, to_plain

KINDS: Mapping[str, type[Event]] = {
    "began": SweepBegan,
    "planned": SweepPlanned,
    "trial began": TrialBegan,
    "trial lost": TrialLost,
    "trial stopping": TrialStopping,
    "trial stopped": TrialStopped,
    "trial ended": TrialEnded,
    "progress": SweepProgress,
    "over": SweepOver,
    "epoch": Epoch,
    "measured": Measured,
    "notice": Notice,
}
"""The events that are written, by name; those of a trial are written as what it `reported`."""

_NAMES = {kind: name for name, kind in KINDS.items()}

_REPORTED = "reported"

_OUTCOME = (
    *("kind", "parameters", "nonzero", "ratio", "accuracy", "split_sizes", "seed"),
    *("best", "stopped", "error"),
)
"""What is written of a finished run's record; all of it is in the run."""


def event_json(event: Event) -> dict[str, Any] | None:
    """An event as a JSON object; None if it is not one to write."""
    if isinstance(event, TrialReported):
        said = event_json(event.event)
        return said and {"event": _REPORTED, "trial": to_plain(event.trial), "said": said}
    if type(event) not in _NAMES:
        return None
    if isinstance(event, TrialEnded) and event.outcome.record is not None:
        outcome = replace(event.outcome, record=_shortened(event.outcome.record))
        event = replace(event, outcome=outcome)
    plain = to_plain(event)
    if isinstance(event, Epoch) and not math.isfinite(event.loss):
        plain["loss"] = None
    return {"event": _NAMES[type(event)], **plain}


def event_from(data: Mapping[str, Any]) -> Event | None:
    """The event that an object stands for; None if it is damaged, or of another version."""
    name = data.get("event")
    if name == _REPORTED:
        said, (trial, _) = data.get("said"), from_plain(TrialLabel, data.get("trial"))
        event = event_from(said) if isinstance(said, Mapping) else None
        return None if trial is None or event is None else TrialReported(trial, event)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is Epoch and data.get("loss") is None:
        epoch, _ = from_plain(Epoch, {**data, "loss": 0.0})
        return epoch and replace(epoch, loss=math.nan)
    return None if kind is None else from_plain(kind, data)[0]


def _shortened(record: RunRecord) -> RunRecord:
    return RunRecord(**{name: getattr(record, name) for name in _OUTCOME})
