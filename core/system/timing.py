"""Alternatives timed in turns, so that a slow spell of the machine affects all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Self, TypeVar

K = TypeVar("K")
Alternative = Callable[[], object]

TURN = 0.01
"""Seconds of each turn: long enough to fill the CPU's caches."""

REST = 0.01
"""Seconds between turns: the previous alternative's threads spin this long before sleeping."""

LONG = 0.25
"""Seconds from which the first run counts: warming up is not worth a second one."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The median, the 10th and the 90th percentile of latencies in seconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """The latency of some runs."""
        deciles = quantiles(seconds, n=10, method="inclusive") if len(seconds) > 1 else seconds
        return cls(median(seconds), deciles[0], deciles[-1])


def time_in_turns(
    alternatives: Mapping[K, Alternative], budget: float, clock: Callable[[], float] = perf_counter
) -> Iterator[dict[K, list[float]]]:
    """Time each alternative, round by round, for `budget` seconds and at least one round.

    `clock` times the runs: `time.thread_time` leaves out what else the machine does, but also what
    other threads do for a run.

    Yields:
        After each turn, the seconds of all runs so far, by alternative.
    """
    seconds: dict[K, list[float]] = {name: [] for name in alternatives}
    start = perf_counter()
    while True:
        for name, alternative in alternatives.items():
            seconds[name] += _turn(alternative, clock)
            yield seconds
        if perf_counter() - start >= budget:
            return


def _turn(alternative: Alternative, clock: Callable[[], float]) -> list[float]:
    """The seconds of one turn's runs, without the first, which warms the caches."""
    sleep(REST)
    seconds = [_timed(alternative, clock)]
    if seconds[0] >= LONG:
        return seconds
    end = perf_counter() + TURN
    while perf_counter() < end or len(seconds) == 1:
        seconds.append(_timed(alternative, clock))
    return seconds[1:]


def _timed(alternative: Alternative, clock: Callable[[], float]) -> float:
    start = clock()
    alternative()
    return clock() - start
