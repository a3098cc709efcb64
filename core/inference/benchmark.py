"""Engines compared: the same images, taking turns in one process, with one thread and with all.

Each engine gets turns of some milliseconds, round after round; preparation is not counted. An
engine must reproduce torch's logits before it is timed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import perf_counter

import torch
from torch import nn

from core.data.batches import Images
from core.errors import StoppedError
from core.events import Progress, StopFlag, Stream, never
from core.graph.compaction import compacted
from core.graph.tracing import UntraceableError, same_logits
from core.inference.engines import DENSE_ENGINES, Engine, EngineError, NetForms, run
from core.inference.sparse.net import faster
from core.inference.timings import (
    BATCHES,
    SECONDS,
    SPARSE,
    Amounts,
    Benchmark,
    BenchmarkUpdated,
    Row,
    SparseChoice,
)
from core.measure.activity import measure_activity, preload_dispatcher
from core.measure.costs import Activity
from core.nets.layers import parameter_count, prunable_layers
from core.system.timing import Latency, Way, in_turns

SEARCH_FRACTION = 0.25
"""Fraction of the time spent on finding the fastest form of the sparse net."""

LOGITS_TOLERANCE = 1e-3
"""Allowed difference between an engine's logits and torch's, relative to the largest."""


def run_benchmark(
    model: nn.Module, data: Images, *, seconds: float = SECONDS, stop: StopFlag = never
) -> Stream[Benchmark]:
    """Time a pruned net in every installed engine.

    Args:
        model: the net, on the CPU; it ends up in evaluation mode.
        data: the images to run.
        seconds: approximate total time; slow nets take longer.
        stop: ends it before the next turn and returns the measurements so far.

    Returns:
        Rows with one thread and with as many as torch is set to.

    Raises:
        StoppedError: `stop` was raised before anything was measured.
    """
    threads = torch.get_num_threads()
    cases = [(batch, count) for count in sorted({1, threads}) for batch in BATCHES]
    amounts = yield from _amounts(model.eval(), data)
    versions = {engine.package: engine.version for engine in DENSE_ENGINES}
    there = {package: it for package, it in versions.items() if it is not None}
    bench, forms = Benchmark(threads, *amounts, versions=there), NetForms(model)
    for case in cases:
        with _threads(case[1]):
            try:
                bench = yield from _Case(forms, data, *case, stop).on(bench, seconds / len(cases))
            except StoppedError:
                if not bench.rows:
                    raise
                return replace(bench, stopped=True)
        yield BenchmarkUpdated(bench)
    return bench


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Set torch's number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Case:
    """One number of images and one of threads."""

    def __init__(
        self, forms: NetForms, data: Images, batch: int, threads: int, stop: StopFlag
    ) -> None:
        self._forms, self._batch, self._threads, self._stop = forms, batch, threads, stop
        self._images = data.batch(torch.arange(batch) % len(data))[0].contiguous()
        self._expected = run(forms.net, self._images)
        self._title = f"batch {batch}, {threads} {'thread' if threads == 1 else 'threads'}"

    def on(self, bench: Benchmark, seconds: float) -> Stream[Benchmark]:
        """A comparison with this case in it, which takes about so long."""
        ways, missing = yield from self._engines()
        found = yield from faster(
            self._forms.net, self._images, self._threads, SEARCH_FRACTION * seconds, self._stop
        )
        ways[SPARSE] = partial(run, found.net, self._images)
        taken = yield from self._time(ways, (1 - SEARCH_FRACTION) * seconds)
        rows = (
            Row(name, self._batch, self._threads, Latency.of(times), len(times))
            for name, times in taken.items()
        )
        fastest = SparseChoice(
            self._batch, self._threads, found.sparse, found.layers, found.compacted, found.block
        )
        return replace(
            bench,
            rows=(*bench.rows, *rows),
            fastest=(*bench.fastest, fastest),
            missing={**bench.missing, **missing},
        )

    def _engines(self) -> Stream[tuple[dict[str, Way], dict[str, str]]]:
        """The engines that give the right logits, and why others do not."""
        ways, missing = dict[str, Way](), dict[str, str]()
        for engine in DENSE_ENGINES:
            yield Progress(f"{self._title}: prepare {engine.name}")
            self._raise_if_stopped()
            try:
                ways[engine.name] = self._prepared(engine)
            except EngineError as error:
                missing[engine.name] = str(error)
        return ways, missing

    def _prepared(self, engine: Engine) -> Way:
        """An engine that is ready to run.

        Raises:
            AbsentError: it is not there, cannot take the net, or gives other logits.
        """
        try:
            way = engine.prepare(self._forms, self._images, self._threads)
            made = torch.as_tensor(way())
        except EngineError:
            raise
        except Exception as error:  # an engine may raise anything of a net that it does not know
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise EngineError(f"cannot run this net: {said[0][:200]}") from error
        if not same_logits(made, self._expected, LOGITS_TOLERANCE):
            raise EngineError("its logits differ from torch's")
        return way

    def _time(self, ways: Mapping[str, Way], seconds: float) -> Stream[dict[str, list[float]]]:
        """What the runs of each engine took."""
        start, taken = perf_counter(), dict[str, list[float]]()
        for taken in in_turns(ways, seconds):  # noqa: B007
            done = min(perf_counter() - start, seconds)
            yield Progress(f"{self._title}:", round(done), round(seconds), "s")
            self._raise_if_stopped()
        return taken

    def _raise_if_stopped(self) -> None:
        if self._stop():
            raise StoppedError("stopped before any measurement finished")


def _amounts(model: nn.Module, data: Images) -> Stream[tuple[Amounts, Amounts]]:
    """Multiplications for one image, and parameters."""
    preload_dispatcher()
    few = replace(data, images=data.images[:2], labels=data.labels[:2])
    activities = yield from measure_activity(model, few)
    layers = prunable_layers(model)
    kept = {la.name: int(model.get_parameter(la.key).count_nonzero()) for la in layers}
    left = sum(
        activities[la.name].macs * kept[la.name] / la.elements
        for la in layers
        if la.name in activities
    )
    zeros = sum(la.elements - kept[la.name] for la in layers)
    smaller = yield from _compacted(model, few)
    macs, parameters = _macs(activities), parameter_count(model)
    return (
        Amounts(macs, round(left), smaller and smaller[0]),
        Amounts(parameters, parameters - zeros, smaller and smaller[1]),
    )


def _compacted(model: nn.Module, few: Images) -> Stream[tuple[int, int] | None]:
    """Multiplications and parameters of the net without its dead units."""
    try:
        net = compacted(model, few.batch(slice(0, 2))[0])
    except UntraceableError:
        return None
    return _macs((yield from measure_activity(net, few))), parameter_count(net)


def _macs(activities: Mapping[str, Activity]) -> int:
    return round(sum(activity.macs for activity in activities.values()))
