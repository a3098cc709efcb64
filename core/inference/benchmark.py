"""Engines compared on the same images, in turns in one process, with one thread and with all.

Each engine gets turns of a few milliseconds, round after round; preparation is not timed. An engine
must reproduce torch's logits before it is timed.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter

import torch
from torch import nn

from core.data.batches import Images
from core.errors import ENDING, StoppedError
from core.events import Portion, Progress, StopFlag, Stream, never, portions, within
from core.graph.compaction import compacted
from core.graph.tracing import UntraceableError, same_logits
from core.inference.benchmark_result import (
    BATCHES,
    SECONDS,
    SPARSE,
    Amounts,
    Benchmark,
    BenchmarkUpdated,
    Row,
    SparseChoice,
)
from core.inference.engines import DENSE_ENGINES, NetForms, run
from core.inference.sparse.net import faster
from core.measure.activity import measure_activity
from core.nets.calls import evaluation_mode
from core.nets.layers import parameter_count, prunable_layers
from core.system.timing import Alternative, Latency, time_in_turns

SEARCH_FRACTION = 0.25
"""Fraction of the time spent searching for the fastest form of the sparse net."""

PREPARING_COST = 0.1
"""The share of a case's time that preparing the engines takes, roughly."""

LOGITS_TOLERANCE = 1e-3
"""Allowed difference between an engine's logits and torch's, relative to the largest."""


def run_benchmark(
    model: nn.Module, data: Images, *, seconds: float = SECONDS, stop: StopFlag = never
) -> Stream[Benchmark]:
    """Time a pruned net in every installed engine, in about `seconds`; slow nets take longer.

    The model, on the CPU, ends up in evaluation mode. `stop`, checked before each turn, ends the
    benchmark with the measurements so far.

    Returns:
        Rows with one thread and with as many as torch is set to.

    Raises:
        StoppedError: `stop` was raised before anything was measured.
    """
    threads = torch.get_num_threads()
    cases = [(batch, count) for count in sorted({1, threads}) for batch in BATCHES]
    counting, timing = portions(0.02, 0.98)
    amounts = yield from within(counting, _amounts(evaluation_mode(model), data))
    versions = {engine.package: engine.version for engine in DENSE_ENGINES if engine.version}
    bench, forms = Benchmark(threads, *amounts, versions=versions), NetForms(model)
    for (batch, count), portion in zip(cases, portions(*[1] * len(cases)), strict=True):
        torch.set_num_threads(count)
        try:
            case = _Case(forms, data, batch, count, stop)
            stream = case.on(bench, seconds / len(cases))
            bench = yield from within(timing.part(portion), stream)
        except StoppedError:
            if not bench.rows:
                raise
            return replace(bench, stopped=True)
        finally:
            torch.set_num_threads(threads)
        yield BenchmarkUpdated(bench)
    return bench


class _Case:
    """A batch size and a number of threads."""

    def __init__(
        self, forms: NetForms, data: Images, batch: int, threads: int, stop: StopFlag
    ) -> None:
        self._forms, self._batch, self._threads, self._stop = forms, batch, threads, stop
        self._images = data.batch(torch.arange(batch) % len(data))[0].contiguous()
        self._expected = run(forms.net, self._images)
        self._title = f"batch {batch}, {threads} {'thread' if threads == 1 else 'threads'}"

    def on(self, bench: Benchmark, seconds: float) -> Stream[Benchmark]:
        """Add this case to a benchmark, in about `seconds`."""
        engines, missing = yield from self._engines()
        yield Portion(PREPARING_COST, SEARCH_FRACTION)
        case, budget = (self._batch, self._threads), SEARCH_FRACTION * seconds
        sparse = yield from faster(self._forms.net, self._images, self._threads, budget, self._stop)
        engines[SPARSE] = partial(run, sparse.net, self._images)
        yield Portion(SEARCH_FRACTION, 1.0)
        times = yield from self._time(engines, seconds - budget)
        rows = tuple(Row(name, *case, Latency.of(runs), len(runs)) for name, runs in times.items())
        choice = SparseChoice(*case, sparse.sparse, sparse.layers, sparse.compacted, sparse.block)
        fastest, missing = (*bench.fastest, choice), {**bench.missing, **missing}
        return replace(bench, rows=bench.rows + rows, fastest=fastest, missing=missing)

    def _engines(self) -> Stream[tuple[dict[str, Alternative], dict[str, str]]]:
        """The engines that reproduce the logits, and why others do not."""
        engines, missing = dict[str, Alternative](), dict[str, str]()
        parts = portions(*[1] * len(DENSE_ENGINES))
        for engine, part in zip(DENSE_ENGINES, parts, strict=True):
            yield Portion(0.0, PREPARING_COST).part(part)
            yield Progress(f"{self._title}: preparing {engine.name}")
            self._raise_if_stopped()
            try:
                alternative = engine.prepare(self._forms, self._images, self._threads)
                logits = torch.as_tensor(alternative())
            except ImportError:
                missing[engine.name] = "not installed: pip install 'featherweight[engines]'"
            except ENDING:
                raise
            except BaseException as error:  # an engine may raise anything for an unsupported net
                lines = str(error).strip().splitlines() or [type(error).__name__]
                missing[engine.name] = f"cannot run this net: {lines[0][:200]}"
            else:
                if same_logits(logits, self._expected, LOGITS_TOLERANCE):
                    engines[engine.name] = alternative
                else:
                    missing[engine.name] = "its logits differ from torch's"
        return engines, missing

    def _time(
        self, engines: Mapping[str, Alternative], seconds: float
    ) -> Stream[dict[str, list[float]]]:
        """The seconds of each engine's runs."""
        start, times = perf_counter(), dict[str, list[float]]()
        for times in time_in_turns(engines, seconds):  # noqa: B007
            done = min(perf_counter() - start, seconds)
            yield Progress(f"{self._title}:", round(done), round(seconds), "s")
            self._raise_if_stopped()
        return times

    def _raise_if_stopped(self) -> None:
        if self._stop():
            raise StoppedError("stopped before any measurement finished")


def _amounts(model: nn.Module, data: Images) -> Stream[tuple[Amounts, Amounts]]:
    """Multiplications per image, and parameters."""
    few = replace(data, images=data.images[:2], labels=data.labels[:2])
    does = yield from measure_activity(model, few, images="all")
    layers = prunable_layers(model)
    nonzero = {layer.name: int(model.get_parameter(layer.key).count_nonzero()) for layer in layers}
    used = [(layer.name, layer.elements) for layer in layers if layer.name in does.layers]
    nonzero_macs = sum(does.layers[name].macs * nonzero[name] / size for name, size in used)
    zeros = sum(layer.elements for layer in layers) - sum(nonzero.values())
    compacted_macs = compacted_parameters = None
    with suppress(UntraceableError):
        net = compacted(model, few.batch(slice(0, 2))[0])
        compacted_macs = round((yield from measure_activity(net, few, images="all")).macs)
        compacted_parameters = parameter_count(net)
    parameters = parameter_count(model)
    return (
        Amounts(round(does.macs), round(nonzero_macs + does.unprunable), compacted_macs),
        Amounts(parameters, parameters - zeros, compacted_parameters),
    )
