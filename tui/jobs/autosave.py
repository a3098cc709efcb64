"""Saves the plan in a thread, a moment after it changed; finds the one an earlier session left."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from tui.state.saved_plan import SavedPlan, load, plan_file, plan_to_save, save

if TYPE_CHECKING:
    from textual.app import App

    from core.settings.settings import Settings
    from tui.state.state import State

DELAY = 1.0
"""Seconds from a change until the plan is saved: one file a second however many keys come."""


class Autosave:
    """Keeps the plan on disk as it stands."""

    def __init__(self, app: App[Any], settings: Settings) -> None:
        self._app = app
        self._path: Path = plan_file(settings)
        self._active = False
        self._waiting = False
        self._warned = False
        self._seen: State | None = None
        self._current: SavedPlan | None = None
        self._written: SavedPlan | None = None
        self._lock = threading.Lock()

    def found(self, state: State) -> SavedPlan | None:
        """The plan an earlier session left, unless it is the one on the screen."""
        saved = self._written = load(self._path, state.layer_names)
        return None if saved == plan_to_save(state) else saved

    def begin(self, state: State) -> None:
        """Save from now on."""
        self._active = True
        self.follow(state)

    def follow(self, state: State) -> None:
        """Save the plan soon, if it changed."""
        before, self._seen = self._seen, state
        if not self._active or (before is not None and _same(before, state)):
            return
        self._current = plan_to_save(state)
        if not self._waiting and self._current != self._written:
            self._waiting = True
            self._app.set_timer(DELAY, self._start)

    def flush(self) -> None:
        """Save at once what is not saved yet; never raises."""
        with self._lock:
            current = self._current
            if not self._active or current == self._written:
                return
            try:
                save(self._path, current)
            except (OSError, InputError) as error:
                self._warn(error)
            self._written = current

    def _start(self) -> None:
        self._waiting = False
        threading.Thread(target=self.flush, name="autosave", daemon=True).start()

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            text = f"the plan is not saved: {error}"
            self._app.notify(text, severity="warning", markup=False)
        self._warned = True


def _same(one: State, other: State) -> bool:
    """Nothing that is saved differs; cheap, as every key asks."""
    return (
        one.plan is other.plan
        and one.locked is other.locked
        and one.base is other.base
        and one.dense is other.dense
    )
