"""A session without an app: what features do to the state, in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from core.jobs.net import Net
from tests.tui.scripted import Scripted
from tests.tui.scripted_nets import net
from tui.session import Session


@dataclass
class Screens:
    """Stands in for the app: records what it would show.

    Attributes:
        notices: the texts of notifications.
        dialogs: the opened dialogs, and what takes their results.
    """

    notices: list[str] = field(default_factory=list)
    dialogs: list[tuple[Any, Any]] = field(default_factory=list)
    left: bool = False
    screen: Any = None

    def notify(self, text: str, **_: object) -> None:
        """Record a notice."""
        self.notices.append(text)

    def push_screen(self, screen: Any, take: Any = None) -> None:
        """Record a dialog."""
        self.dialogs.append((screen, take))

    def set_timer(self, *_: object) -> SimpleNamespace:
        """A timer that never ends."""
        return SimpleNamespace(stop=lambda: None)

    def exit(self) -> None:
        """Record that the program exits."""
        self.left = True


def session(base: Net | None = None) -> tuple[Session, Screens]:
    """A session with an open dense net, and its app."""
    app = Screens()
    opened = Session(app, Scripted(), lambda: ())
    opened.show(opened.state.with_dense(base or net()))
    return opened, app
