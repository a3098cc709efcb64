"""Core's jobs for the app. Nothing here imports torch until the first job runs, in its thread."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.errors import InputError
from core.events import Notice, Progress, StopFlag, Stream
from core.pruning.curves import SPLITS, UNIFORM_SPARSITIES
from core.settings.recipe_changes import NO_CHOICES
from core.settings.settings import Settings
from core.system.preload import preload_torch

if TYPE_CHECKING:
    from core.experiments.experiment import Experiment
    from core.experiments.exports import Export
    from core.experiments.runs import Run
    from core.formats.export_formats import Packing
    from core.inference.timings import Benchmark
    from core.jobs.restore import RestoredRun
    from core.jobs.search import SearchResult
    from core.jobs.workbench import Net, Workbench
    from core.nets.footprint import Sizes
    from core.pruning.curves import Scan
    from core.training.dense import TrainingResult
    from core.training.finetuning import FineTuningResult, PruningResult
    from tui.state.measurement import MeasurementRequest
    from tui.state.results import Result


class Backend(Protocol):
    """The jobs the app can run; tests may script them."""

    settings: Settings
    experiment: Experiment

    def open(self, stop: StopFlag) -> Stream[Net]:
        """Load torch, the data and the dense net, and measure it."""

    def train(self, settings: Settings, stop: StopFlag) -> Stream[tuple[TrainingResult, Net]]:
        """Train a new dense net by the recipe of these settings; their choices are for `f`."""

    def prune(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[PruningResult]:
        """Apply the plan to the base in one shot and measure it."""

    def finetune(
        self, base: Net, plan: Mapping[str, float], settings: Settings, stop: StopFlag
    ) -> Stream[tuple[FineTuningResult, Net]]:
        """Fine-tune the base towards the plan by the recipe of these settings."""

    def scan(self, base: Net, stop: StopFlag) -> Stream[Scan]:
        """Scan how sensitive the base's layers are."""

    def kept_scan(self, base: Net) -> Scan | None:
        """The stored scan of these weights, if any; reads a small file."""

    def search(
        self,
        base: Net,
        max_drop: float,
        method: str,
        locked: Mapping[str, float],
        settings: Settings,
        stop: StopFlag,
    ) -> Stream[tuple[SearchResult, Net | None]]:
        """Find the smallest net within a drop in accuracy; also returns the best trial's net."""

    def restore(self, dense: Net, run: Run, stop: StopFlag) -> Stream[RestoredRun]:
        """Restore a run, completing it first if it was interrupted."""

    def bench(
        self, base: Net, plan: Mapping[str, float], tuned: Net | None, stop: StopFlag
    ) -> Stream[Benchmark]:
        """Time a fine-tuned net, or the plan applied to the base, in every engine."""

    def export(
        self, result: Result, to: Path, packing: Packing, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Export, Sizes]]:
        """Export a plan's result to a file, read it back, and measure it and its sizes."""

    def look(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        """Measure a plan on a growing sample, and predict images, alongside any job."""


class CoreBackend:
    """The real jobs."""

    def __init__(self, settings: Settings, experiment: Experiment) -> None:
        self.settings = settings
        self.experiment = experiment

    @cached_property
    def _workbench(self) -> Workbench:
        from core.jobs.workbench import Workbench

        return Workbench(self.settings)

    def open(self, stop: StopFlag) -> Stream[Net]:
        """See `Backend.open`."""
        yield Progress("load torch")
        yield from preload_torch(stop)
        bench = self._import_all()
        from core.jobs.dense_net import open_dense_net
        from core.jobs.preflight import check

        check(bench)
        return (yield from open_dense_net(bench, stop))

    def _import_all(self) -> Workbench:
        """Import what jobs and plots need, in this thread, so that the screen waits for none of it.

        The garbage collector is off meanwhile: it would look through all that has been imported,
        none of it garbage, again and again, for 0.1 s at a time that stops every thread. Nor does
        it ever look through it later, when it would be 0.2 s in the middle of a fine-tuning.
        """
        gc.disable()
        try:
            from tui.views import plot_registry

            plot_registry.preload()
            import_module("core.jobs.measurement")
            return self._workbench
        finally:
            gc.freeze()
            gc.enable()

    def train(self, settings: Settings, stop: StopFlag) -> Stream[tuple[TrainingResult, Net]]:
        """See `Backend.train`."""
        from core.jobs import recorded_jobs

        bench = self._workbench.with_settings(replace(settings, choices=NO_CHOICES))
        trained = yield from recorded_jobs.train(bench, self.experiment, stop)
        return trained, bench.net(trained)

    def prune(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[PruningResult]:
        """See `Backend.prune`."""
        from core.jobs import measurement

        return (yield from measurement.prune(self._workbench, base, plan, stop))

    def finetune(
        self, base: Net, plan: Mapping[str, float], settings: Settings, stop: StopFlag
    ) -> Stream[tuple[FineTuningResult, Net]]:
        """See `Backend.finetune`."""
        from core.jobs import recorded_jobs

        bench = self._workbench.with_settings(settings)
        tuned = yield from recorded_jobs.finetune(bench, base, plan, self.experiment, stop)
        return tuned, bench.net(tuned, base)

    def scan(self, base: Net, stop: StopFlag) -> Stream[Scan]:
        """See `Backend.scan`; the scan is stored with the experiment."""
        from core.jobs import measurement
        from core.jobs.goals import store_scan

        bench = self._workbench
        scan = yield from measurement.scan(
            bench, base.weights, uniform=UNIFORM_SPARSITIES, stop=stop
        )
        yield from store_scan(bench, base.digest, scan, self.experiment)
        return scan

    def kept_scan(self, base: Net) -> Scan | None:
        """See `Backend.kept_scan`."""
        from core.experiments.saved_scans import load_scan

        data = self._workbench.data_name
        return load_scan(self.experiment.folder, base.digest, SPLITS[0], data).scan

    def search(
        self,
        base: Net,
        max_drop: float,
        method: str,
        locked: Mapping[str, float],
        settings: Settings,
        stop: StopFlag,
    ) -> Stream[tuple[SearchResult, Net | None]]:
        """See `Backend.search`."""
        from core.jobs.goals import search_for

        bench = self._workbench.with_settings(settings)
        found = yield from search_for(
            bench,
            base,
            max_drop=max_drop,
            method=method,
            locked=locked,
            experiment=self.experiment,
            stop=stop,
        )
        best = found.best
        return found, None if best is None else bench.net(best.result, best.base)

    def restore(self, dense: Net, run: Run, stop: StopFlag) -> Stream[RestoredRun]:
        """See `Backend.restore`."""
        from core.jobs import recorded_jobs
        from core.jobs.restore import restore

        if not run.finished:
            yield from recorded_jobs.resume(self._workbench, dense, run, self.experiment, stop)
            run = self.experiment.find(run.id)
        return (yield from restore(self._workbench, dense, self.experiment, run))

    def bench(
        self, base: Net, plan: Mapping[str, float], tuned: Net | None, stop: StopFlag
    ) -> Stream[Benchmark]:
        """See `Backend.bench`."""
        from core.jobs import measurement
        from core.pruning.masks import Masks

        bench = self._workbench
        if tuned is not None:
            return (yield from measurement.benchmark(bench, tuned.weights, stop=stop))
        pruned = Masks.of(base.weights, bench.layers, plan).apply(base.weights)
        return (yield from measurement.benchmark(bench, pruned, stop=stop))

    def export(
        self, result: Result, to: Path, packing: Packing, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Export, Sizes]]:
        """See `Backend.export`; the file is recorded with the run that produced the net."""
        from core.jobs.export import export, export_record
        from core.training.loop import copy_weights

        bench, base, plan, net = (
            self._workbench.with_settings(settings),
            result.base,
            result.plan,
            result.net,
        )
        weights = net.weights if net else copy_weights(bench.models.pruned_copy(base.weights, plan))
        exported = yield from export(bench, weights, to, packing, stop)
        record = export_record(exported, packing)
        untouched = all(plan[profile.layer.name] == profile.floor for profile in base.profiles)
        if run := net.run if net else base.run if untouched else None:
            try:
                self.experiment.add_export(self.experiment.find(run), record)
            except InputError as error:
                yield Notice(f"could not record the file with run {run}: {error}", warning=True)
        if result.sizes is not None:
            return record, result.sizes
        yield Progress("measure file sizes")
        return record, bench.sizes(weights)

    def look(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        """See `Backend.look`: the fastest measurements first."""
        from core.jobs import measurement

        bench, base, plan, images = self._workbench, request.base, request.plan, request.images
        shown = request.tuned or base
        compare = partial(measurement.compare, bench, request.dense, shown, plan, stop=stop)
        if images and images.mode == "chosen":
            yield from compare("chosen", images.start)
        if request.accuracy:
            yield from measurement.sample(bench, base, plan, stop)
        if request.costs:
            yield from measurement.count_activity(bench, shown, plan, stop)
        if images and (request.matrix or images.mode == "wrong"):
            yield from compare(images.mode, images.start, matrix=True)
