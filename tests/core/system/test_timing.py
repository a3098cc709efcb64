"""Alternatives timed in turns."""

from __future__ import annotations

from time import sleep

from core.system.timing import LONG, Latency, time_in_turns


def test_every_alternative_has_its_turn_in_each_round() -> None:
    runs: list[str] = []
    ways = {name: lambda name=name: runs.append(name) for name in "ab"}
    seen = list(time_in_turns(ways, 0.0))
    assert len(seen) == 2
    order = [name for place, name in enumerate(runs) if place == 0 or runs[place - 1] != name]
    assert order == ["a", "b"]
    assert all(len(seen[-1][name]) >= 1 for name in ways)


def test_a_long_run_is_not_repeated_for_warm_caches() -> None:
    runs: list[int] = []
    for seconds in time_in_turns({"slow": lambda: (runs.append(1), sleep(LONG))}, 0.0):
        assert len(seconds["slow"]) == 1
    assert len(runs) == 1


def test_a_latency_is_the_median_and_the_outer_deciles() -> None:
    latency = Latency.of([float(value) for value in range(11)])
    assert latency == Latency(5.0, 1.0, 9.0)
    assert Latency.of([2.0]) == Latency(2.0, 2.0, 2.0)
