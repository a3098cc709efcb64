"""Saves the plan in a thread shortly after a change; loads an earlier session's plan."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from tui.state.plan_file import SavedPlan, load, plan_file, plan_to_save, save

if TYPE_CHECKING:
    from textual.app import App

    from core.settings.settings import Settings
    from tui.state.state import State

DELAY = 1.0
"""Seconds from a change until the plan is saved: at most one write a second."""

SAVED = ("plan", "locked", "base", "dense")
"""The attributes of a state the saved plan depends on."""


class Autosave:
    """Keeps the plan on disk up to date."""

    def __init__(self, app: App[Any], settings: Settings) -> None:
        self._app = app
        self._path: Path = plan_file(settings)
        self._active = self._waiting = self._warned = False
        self._seen: State | None = None
        self._current: SavedPlan | None = None
        self._written: SavedPlan | None = None
        self._lock = threading.Lock()

    def load(self, state: State) -> SavedPlan | None:
        """The plan saved by an earlier session, unless it is the one on the screen."""
        saved = self._written = load(self._path, state.layer_names)
        return None if saved == plan_to_save(state) else saved

    def begin(self, state: State) -> None:
        """Save from now on."""
        self._active = True
        self.follow(state)

    def follow(self, state: State) -> None:
        """Save the plan soon, if it changed."""
        before, self._seen = self._seen, state
        # Every key press ends up here: identity is enough, and cheap.
        changed = any(getattr(before, name, None) is not getattr(state, name) for name in SAVED)
        if not self._active or not changed:
            return
        self._current = plan_to_save(state)
        if not self._waiting and self._current != self._written:
            self._waiting = True
            self._app.set_timer(DELAY, self._start)

    def flush(self) -> None:
        """Save an unsaved plan now; never raises."""
        with self._lock:
            current = self._current
            if not self._active or current == self._written:
                return
            try:
                save(self._path, current)
            except (OSError, InputError) as error:
                if not self._warned:
                    text = f"could not save the plan: {error}"
                    self._app.notify(text, severity="warning", markup=False)
                self._warned = True
            self._written = current

    def _start(self) -> None:
        self._waiting = False
        threading.Thread(target=self.flush, name="autosave", daemon=True).start()
