"""Alternatives timed in turns, so that whatever slows the machine down slows all of them down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import TypeVar

K = TypeVar("K")
Alternative = Callable[[], object]

TURN = 0.01
"""Seconds of each turn: long enough for an alternative to have the CPU's caches to itself."""

REST = 0.01
"""Seconds between turns: the previous alternative's threads spin this long before they sleep."""

LONG = 0.25
"""A first run of at least this many seconds counts: warming up is not worth another run."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency in seconds.

    Attributes:
        median: the median.
        low, high: 10th and 90th percentiles.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """The latency of some runs."""
        ordered = sorted(seconds)
        return cls(*(_quantile(ordered, share) for share in (0.5, 0.1, 0.9)))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Where so large a share of some numbers is below, between the two that are nearest."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def time_in_turns(ways: Mapping[K, Alternative], budget: float) -> Iterator[dict[K, list[float]]]:
    """Time each alternative, round by round, for `budget` seconds and at least one round.

    Yields:
        After each turn, the seconds of all runs so far, by alternative.
    """
    seconds: dict[K, list[float]] = {name: [] for name in ways}
    start = perf_counter()
    while True:
        for name, way in ways.items():
            seconds[name] += _turn(way)
            yield seconds
        if perf_counter() - start >= budget:
            return


def _turn(way: Alternative) -> list[float]:
    """What the runs of one turn took; the first, which warms the caches, is left out."""
    sleep(REST)
    seconds = [_timed(way)]
    if seconds[0] >= LONG:
        return seconds
    end = perf_counter() + TURN
    while perf_counter() < end or len(seconds) == 1:
        seconds.append(_timed(way))
    return seconds[1:]


def _timed(way: Alternative) -> float:
    start = perf_counter()
    way()
    return perf_counter() - start
