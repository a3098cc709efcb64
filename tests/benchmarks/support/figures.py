"""A measured figure with its limit, and timing two ways in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

from core.system.allocator import MIB, keep_freed_memory, set_thresholds

Way = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        key: its name in the JSON.
        what: what was compared.
        value: in `unit`.
        limit: the bound on the value.
        at_least: whether the limit is a lower bound.
        detail: the measurements behind the value; in seconds unless a name says otherwise.
    """

    key: str
    what: str
    value: float
    unit: str
    limit: float
    at_least: bool
    detail: Mapping[str, float] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def in_turns(ways: Mapping[str, Way], rounds: int = 5, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of each way in each round, in turns; the first `warm` rounds do not count.

    `plain` runs with the C library's default allocator settings, the others with ours.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(warm + rounds):
        for name, way in ways.items():
            (use_default_allocator if name == "plain" else keep_freed_memory)()
            start = perf_counter()
            way()
            if turn >= warm:
                seconds[name].append(perf_counter() - start)
    return seconds


def ratio(over: Iterable[float], under: Iterable[float]) -> float:
    """The median of the ratios, round by round."""
    return median(one / other for one, other in zip(over, under, strict=True))


def medians(seconds: Mapping[str, Iterable[float]]) -> dict[str, float]:
    """The median seconds of each way."""
    return {name: median(times) for name, times in seconds.items()}


def use_default_allocator() -> None:
    """Set the C library's allocator as in a program that does not configure it.

    glibc raises its thresholds to 32 MiB and 64 MiB by itself as large blocks are freed
    (mallopt(3)); with these, the plain way has fewer page faults than in a fresh process.
    """
    set_thresholds(mmap=32 * MIB, trim=64 * MIB, pad=MIB // 8)
