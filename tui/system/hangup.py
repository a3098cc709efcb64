"""Whether the terminal is gone where no signal says so, as without a controlling terminal."""

import select
import signal
from typing import TextIO


def has_hung_up(terminal: TextIO | None) -> bool:
    """Whether the other end of a terminal is closed; False where that cannot be known."""
    if terminal is None or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(terminal, 0)  # hang-ups are always reported
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def raise_hangup() -> None:
    """Send this process SIGHUP, where there is such a signal."""
    if (number := getattr(signal, "SIGHUP", None)) is not None:
        signal.raise_signal(number)
