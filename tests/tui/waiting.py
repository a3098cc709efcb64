"""Textual's wait for an idle app, without the time in which nothing can happen."""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop, sleep
from time import process_time

from textual._wait import SLEEP_GRANULARITY

LEAST = 0.008
"""Seconds that a thread gets to answer."""

IDLE = 0.05
"""The share of a processor that an idle app uses at most, as in Textual."""


async def wait_for_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until the process computes nothing, and no timer of the app is about to end.

    Textual looks for 20 ms at a time whether the process was idle. A key press waits so twice, and
    the tests press thousands of keys. Here a look ends soon after the last timer that ends in those
    20 ms, so that without one it takes `LEAST`.

    Args:
        min_sleep: not needed: a timer that Textual would wait for is waited for.
        max_sleep: seconds after which a busy process is waited for no longer.
    """
    end = get_running_loop().time() + max_sleep
    while get_running_loop().time() < end:
        used, seconds = process_time(), LEAST + _last_timer()
        await sleep(seconds)
        if process_time() - used < IDLE * seconds:
            break


def _last_timer() -> float:
    """Seconds until the last of the timers that end within 20 ms; 0 without any."""
    loop = get_running_loop()
    timers: list[TimerHandle] = loop._scheduled  # type: ignore[attr-defined]  # no public list
    left = (timer.when() - loop.time() for timer in timers if not timer.cancelled())
    return max((seconds for seconds in left if 0 < seconds <= SLEEP_GRANULARITY), default=0.0)
