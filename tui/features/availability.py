"""When an action makes sense: declared beside the action, asked by the app for keys and footer."""

from collections.abc import Callable
from typing import Any, TypeVar

from tui.session import Session

Action = TypeVar("Action", bound=Callable[..., None])
Condition = Callable[[Session], bool]


def is_open(session: Session) -> bool:
    """There is a net to work on."""
    return session.state.base is not None


def available(condition: Condition = is_open, *, waits: bool = False) -> Callable[[Action], Action]:
    """Declare when an action makes sense; one without this always does.

    Args:
        condition: holds then.
        waits: it cannot begin while a job runs.
    """

    def declare(action: Action) -> Action:
        action.__dict__.update(condition=condition, waits=waits)
        return action

    return declare


def is_available(action: Callable[..., Any], session: Session) -> bool:
    """The action makes sense now."""
    if waits(action) and session.job is not None:
        return False
    return bool(getattr(action, "condition", lambda _: True)(session))


def waits(action: Callable[..., Any]) -> bool:
    """The action cannot begin while a job runs."""
    return getattr(action, "waits", False)
