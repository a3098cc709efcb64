"""Reconstruction against other ways to prune in one shot, on the same sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from time import process_time

from torch import nn

import core
from tests.benchmarks.one_shot.nets import CASES, Case, accuracy, mnist
from tests.benchmarks.one_shot.solvers import obc, solving_by, sparse_gpt
from tests.benchmarks.support.figures import Figure

WAYS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "SparseGPT": lambda: solving_by(sparse_gpt),
    "OBC": lambda: solving_by(obc),
    "ours": nullcontext,
}

NOISE = -0.1
"""Five of the 5,000 validation images: samples of other seeds differ by more."""


def figures(_: tuple[str, ...]) -> list[Figure]:
    detail: dict[str, float] = {}
    ahead = []
    for case in CASES:
        found = {}
        for way, net, seconds in pruned(case):
            measured = accuracy(net)
            found[way] = measured.validation
            name = f"{case.model}, {case.preset}, {way}"
            detail |= {
                f"{name}: validation": measured.validation,
                f"{name}: test": measured.test,
                f"{name}: CPU": seconds,
            }
            print(f"  {name}: {measured.validation:.2f} %, {measured.test:.2f} %, {seconds:.0f} s")
        ours = found.pop("ours")
        ahead.append(ours - max(found.values()))
    what = "validation points of ours above the best of the other ways, least of four nets"
    return [Figure("one_shot_ahead", what, min(ahead), " points", NOISE, True, detail)]


def pruned(case: Case) -> Iterator[tuple[str, nn.Module, float]]:
    """The net pruned in each way, and the CPU seconds of it; seed 0."""
    net = case.dense()
    start = process_time()
    core.prune(net, case.plan())
    yield "magnitude", net, process_time() - start
    for way, solving in WAYS.items():
        net = case.dense()
        start = process_time()
        with solving():
            core.reconstruct(net, case.plan(), mnist())
        yield way, net, process_time() - start
