"""A measured figure with its limit, and how two ways are timed in turns."""

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
        what: what was compared, for a reader.
        value: the figure, in `unit`.
        limit: what it has to reach.
        at_least: the limit is a lower one; otherwise an upper one.
        detail: what it was computed from; seconds unless a name says otherwise.
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
    """Seconds of each way in each round, by turns; the `warm` first rounds are left out.

    The way called `plain` has the C library's allocator as it comes, the others as we set it.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(warm + rounds):
        for name, way in ways.items():
            (usual_memory if name == "plain" else keep_freed_memory)()
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


def usual_memory() -> None:
    """The C library's allocator as a program has it that asks for nothing.

    By itself glibc moves its thresholds up to 32 MiB and twice that, as it sees large blocks come
    and go (mallopt(3)); from there the plain way has fewer page faults than in a fresh process.
    """
    set_thresholds(mmap=32 * MIB, trim=64 * MIB, pad=MIB // 8)
