"""Saves the plan a moment after it has changed, beside the screen; reads it at the next start."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App

from core.errors import InputError
from core.settings import Settings
from tui.saved_plan import SavedPlan, load, plan_file, plan_of, save

if TYPE_CHECKING:
    from tui.state import State

DELAY = 1.0
"""Seconds from a change until the plan is saved: however many keys come, one file a second."""


class Autosave:
    """The file of the plan as it stands."""

    def __init__(self, app: App[Any], settings: Settings) -> None:
        self._app = app
        self._path: Path = plan_file(settings)
        self._following = False
        self._waiting = False
        self._failed = False
        self._seen: State | None = None
        self._wanted: SavedPlan | None = None
        self._written: SavedPlan | None = None
        self._lock = threading.Lock()

    def found(self, state: State) -> SavedPlan | None:
        """The plan that an earlier session has left, where it is not the one that stands."""
        saved = self._written = load(self._path, state.layer_names)
        return None if saved == plan_of(state) else saved

    def begin(self, state: State) -> None:
        """Keep the file as the plan stands from now on."""
        self._following = True
        self.follow(state)

    def follow(self, state: State) -> None:
        """Save the plan soon, if it has changed."""
        before, self._seen = self._seen, state
        if not self._following or (before and _same(before, state)):
            return
        self._wanted = plan_of(state)
        if not self._waiting and self._wanted != self._written:
            self._waiting = True
            self._app.set_timer(DELAY, self._write_aside)

    def flush(self) -> None:
        """Save now what is not saved yet; never raises."""
        with self._lock:
            wanted = self._wanted
            if not self._following or wanted == self._written:
                return
            try:
                save(self._path, wanted)
            except (OSError, InputError) as error:
                self._tell(error)
            self._written = wanted

    def _write_aside(self) -> None:
        self._waiting = False
        threading.Thread(target=self.flush, name="autosave", daemon=True).start()

    def _tell(self, error: Exception) -> None:
        if not self._failed:
            self._app.notify(f"the plan is not saved: {error}", severity="warning", markup=False)
        self._failed = True


def _same(one: State, other: State) -> bool:
    """Nothing that is saved differs; cheap, as it is asked at every key."""
    return (
        one.plan is other.plan
        and one.locked is other.locked
        and one.base is other.base
        and one.dense is other.dense
    )
