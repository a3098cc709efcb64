"""Job control of Unix shells: Ctrl+Z and `fg`."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def follow_shell(suspend: Callable[[], None], resume: Callable[[], None]) -> None:
    """Call `suspend` when another program asks for it, and `resume` after one continued this one.

    Textual would start drawing a second time after any SIGCONT, such as that of a closed window.
    """
    if hasattr(signal, "SIGTSTP"):
        signal.signal(signal.SIGTSTP, lambda *_: suspend())
        signal.signal(signal.SIGCONT, lambda *_: resume())


@contextmanager
def releasing(release: Callable[[], object], take: Callable[[], object]) -> Iterator[None]:
    """Call `release` before Ctrl+Z stops this process, and `take` once `fg` continues it."""
    if not hasattr(signal, "SIGTSTP"):
        yield
        return

    def suspend(*_: object) -> None:
        release()
        stop_until_continued()
        take()

    before = signal.signal(signal.SIGTSTP, suspend)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)


def stop_until_continued() -> bool:
    """Stop this process and those that started it, until the shell continues them.

    Returns:
        Whether it was stopped. Where no shell could continue it, as in a terminal opened for this
        program alone, the system ignores the request.
    """
    if not hasattr(signal, "SIGTSTP"):
        return False
    continued: list[int] = []
    stop = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    go_on = signal.signal(signal.SIGCONT, lambda number, _: continued.append(number))
    try:
        os.killpg(0, signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, stop)
        signal.signal(signal.SIGCONT, go_on)
    return bool(continued)
