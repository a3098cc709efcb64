"""The screen during a fine-tuning: the lag of its event loop, and what keys and progress cost.

The real app in a terminal of 80x24: MNIST, the shipped net, the aggressive plan and the recipe
`fast`. Nothing is compared: the limits are a lag that a hand does not feel, a change that seems
immediate, and bytes that a slow link carries.

`key_bytes` is the most that one key writes while nothing runs, its new plot and its background
measurement included.
"""

from __future__ import annotations

from statistics import median, quantiles

from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.watched import COMPUTING, IDLE, KEY, Lags, summary, watched
from tests.terminal.terminal import Terminal

SECONDS = 25.0
"""How long the fine-tuning is watched; the idle screen is watched half as long."""

KEYS = ("down", "up", "right", "]", "left", "[", "v", "v", "V", "V")
"""Keys that select, change and draw, and end where they begin."""

TURNS = 12
"""How often they are pressed during the fine-tuning."""

BETWEEN = 0.15
"""Seconds between two of them."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    with watched() as (terminal, lags):
        terminal.wait_for("ready:", seconds=300)
        terminal.press("m", "down", "enter")
        terminal.wait_for("36.88x")
        terminal.wait_for_quiet(2.0)
        idle = terminal.read(SECONDS / 2)
        key_bytes = {key: _bytes_of(terminal, key) for key in dict.fromkeys(KEYS)}
        terminal.press("f")
        terminal.wait_for("epoch 1 of", "loss", seconds=300)
        tuning_bytes = terminal.read(SECONDS) / SECONDS
        for key in KEYS * TURNS:
            terminal.press(key)
            terminal.read(BETWEEN)
        terminal.press("x", "y")
        terminal.wait_for("stopped early", seconds=120)
        terminal.press("q")
        terminal.wait(60)
        measured = lags()
    by_key = {
        "loop_lag_p99": _lag(measured),
        **_paint(measured),
        "tuning_bytes": _tuning(tuning_bytes, idle),
        "key_bytes": _key(key_bytes),
    }
    return [by_key[key] for key in wanted]


def _bytes_of(terminal: Terminal, key: str) -> int:
    before = terminal.written
    terminal.press(key)
    terminal.wait_for_quiet(1.0)
    return terminal.written - before


def _lag(lags: Lags) -> Figure:
    detail = {
        **summary(lags["fine-tuning"], "finetuning"),
        **summary(lags[IDLE], "idle"),
        "samples": len(lags["fine-tuning"]),
    }
    return Figure(
        key="loop_lag_p99",
        what="lag of the event loop while fine-tuning, 99th percentile",
        value=detail["finetuning_p99_ms"],
        unit=" ms",
        limit=10,
        at_least=False,
        detail=detail,
    )


def _paint(lags: Lags) -> dict[str, Figure]:
    pressed = len(KEYS) * TURNS
    keys, computing = ([1000 * lag for lag in lags[name][-pressed:]] for name in (KEY, COMPUTING))
    detail = {
        "longest ms": max(keys),
        "median ms of computing": median(computing),
        "longest ms of computing": max(computing),
    }
    what = "from a key to its changes drawn, while fine-tuning"
    slowest = quantiles(keys, n=100, method="inclusive")
    limits = {
        "key_paint_p50": ("median", median(keys), 15.0),
        "key_paint_p99": ("99th percentile", slowest[98], 50.0),
    }
    return {
        key: Figure(
            key=key,
            what=f"{what}, {which}",
            value=value,
            unit=" ms",
            limit=limit,
            at_least=False,
            detail=detail,
        )
        for key, (which, value, limit) in limits.items()
    }


def _tuning(per_second: float, idle: int) -> Figure:
    return Figure(
        key="tuning_bytes",
        what="bytes written per second while a fine-tuning is watched",
        value=per_second,
        unit=" B/s",
        limit=6000,
        at_least=False,
        detail={"bytes while idle": idle},
    )


def _key(by_key: dict[str, int]) -> Figure:
    return Figure(
        key="key_bytes",
        what="bytes written for a key, the most of them",
        value=max(by_key.values()),
        unit=" B",
        limit=2000,
        at_least=False,
        detail={f"bytes of {key}": float(size) for key, size in by_key.items()},
    )
