"""Accuracy of reconstructed nets, and the time it takes: means of three samples."""

from __future__ import annotations

from statistics import mean
from time import process_time

import core
from core.events import Event, Progress
from tests.benchmarks.one_shot.nets import (
    AGGRESSIVE,
    LENET_5,
    LENET_300_100,
    MODERATE,
    SEEDS,
    Case,
    accuracy,
    mnist,
)
from tests.benchmarks.support.figures import Figure

KEYS = {
    "one_shot_cnn5": AGGRESSIVE,
    "one_shot_cnn5_moderate": MODERATE,
    "one_shot_lenet_300_100": LENET_300_100,
    "one_shot_lenet_5": LENET_5,
}
LIMITS = {AGGRESSIVE: 97.3, MODERATE: 99.0}
"""Accuracy; the other nets are to lose at most `MOST_LOST` points."""

MOST_LOST = 0.3


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    measured = list[Figure]()
    for key, case in KEYS.items():
        if key in wanted:
            measured.append(_accuracy(key, case))
    if {"one_shot_sums", "one_shot_rest"} & set(wanted):
        measured += _times()
    return measured


def _accuracy(key: str, case: Case) -> Figure:
    name = f"{case.model}, preset {case.preset}, reconstructed"
    dense = accuracy(case.dense())
    found = []
    for seed in SEEDS:
        net = case.dense()
        core.reconstruct(net, case.plan(), mnist(), seed=seed)
        found.append(accuracy(net))
    test = mean(each.test for each in found)
    detail = {
        "dense test": dense.test,
        "test": test,
        "validation": mean(each.validation for each in found),
        **{f"test, seed {seed}": each.test for seed, each in zip(SEEDS, found, strict=True)},
    }
    if case in LIMITS:
        return Figure(key, f"{name}: accuracy on test", test, " %", LIMITS[case], True, detail)
    lost = dense.test - test
    return Figure(key, f"{name}: test below dense", lost, " points", MOST_LOST, False, detail)


def _times() -> list[Figure]:
    """Seconds of the processor, at least those of a clock on an idle machine."""
    seconds = {True: 0.0, False: 0.0}
    now, solving = process_time(), False

    def on_event(event: Event) -> None:
        nonlocal now, solving
        before, now = now, process_time()
        seconds[solving] += now - before
        if isinstance(event, Progress):
            solving = "choosing" in event.step

    mnist()
    net, plan = AGGRESSIVE.dense(), AGGRESSIVE.plan()
    now = process_time()
    core.reconstruct(net, plan, mnist(), on_event=on_event)
    if not all(seconds.values()):
        raise AssertionError("the steps of a reconstruction are not told apart")
    sums, rest = "the same: running the sample, Gram matrices", "the same: choosing and fitting"
    return [
        Figure("one_shot_sums", sums, seconds[False], " s", 20, at_least=False),
        Figure("one_shot_rest", rest, seconds[True], " s", 20, at_least=False),
    ]
