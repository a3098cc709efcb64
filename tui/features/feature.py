"""The base of all features, and when keys and footer offer an action."""

from collections.abc import Callable
from typing import Any, TypeVar

from tui.keys.key import Key
from tui.session import Session
from tui.state.state import State

Action = TypeVar("Action", bound=Callable[..., None])
Condition = Callable[[Session], bool]


class Feature:
    """Something the app can do; its methods are the actions bound to keys."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def state(self) -> State:
        """What the screen shows."""
        return self.session.state


def is_open(session: Session) -> bool:
    """Whether there is a net to work on."""
    return session.state.base is not None


def available(
    condition: Condition = is_open, *, waits: bool = False, why: str = ""
) -> Callable[[Action], Action]:
    """Declare when an action is available; without this it always is.

    Args:
        condition: must hold.
        waits: no job may be running.
        why: what to say if the condition does not hold though a net is open.
    """

    def declare(action: Action) -> Action:
        action.__dict__.update(condition=condition, waits=waits, why=why)
        return action

    return declare


def is_available(action: Callable[..., Any], session: Session) -> bool:
    """Whether the action is available now."""
    if waits(action) and session.job is not None:
        return False
    return bool(getattr(action, "condition", lambda _: True)(session))


def waits(action: Callable[..., Any]) -> bool:
    """Whether the action must wait for a running job to end."""
    return getattr(action, "waits", False)


def why_unavailable(key: Key, action: Callable[..., Any], session: Session) -> str:
    """What to say of a key whose action is unavailable now; empty if there is nothing to say."""
    if is_available(action, session):
        return ""
    if waits(action) and session.job is not None:
        return f"{key.label} has to wait: {session.job_title} is running, {{stop}} stops it"
    if not is_open(session):
        return "the net is still loading" if session.job is not None else ""
    return getattr(action, "why", "")
