"""Core's jobs for the app. Nothing here imports torch until the first job runs, in its thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from core.events import Progress, StopFlag, Stream, portions, within
from core.pruning.curves import SPLITS, UNIFORM_SPARSITIES
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.system.preload import preload_torch
from tui.state.results import shot_of
from tui.system.garbage import importing

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.experiments.experiment import Experiment
    from core.experiments.exports import Export
    from core.experiments.runs import Run
    from core.formats.export_formats import Packing
    from core.inference.benchmark_result import Benchmark
    from core.jobs.net import Net
    from core.jobs.restore import RestoredRun
    from core.jobs.workbench import Workbench
    from core.lightest.trials import By, Lightest
    from core.nets.footprint import Sizes
    from core.pruning.budgets.costs import NetCosts
    from core.pruning.curves import Scan
    from core.pruning.what_if import Profile
    from core.reconstruction.measured_net import ReconstructedNet
    from core.sweep.live.events import SweepResult
    from core.sweep.live.folder import SweepFolder
    from core.training.dense import TrainingResult
    from core.training.finetuning import FineTuningResult, PruningResult
    from tui.state.measurement import MeasurementRequest
    from tui.state.results import Result


LIBRARIES_COST = 0.3
"""The share of opening a net that it takes to load the libraries, about."""


def _way(settings: Settings) -> tuple[str, str]:
    """How a plan is applied in one shot, and layers are scanned."""
    return shot_of(settings), settings.repair


class Backend:
    """The jobs of the app; tests replace them with scripts."""

    def __init__(self, settings: Settings, experiment: Experiment) -> None:
        self.settings = settings
        self.experiment = experiment
        self._last: tuple[tuple[str, str], Workbench | None] = ("", ""), None

    @cached_property
    def _workbench(self) -> Workbench:
        from core.jobs.workbench import Workbench

        return Workbench(self.settings)

    def open(self, stop: StopFlag) -> Stream[Net]:
        """Load torch, the data and the dense net, and measure it.

        A net that has to be trained first is opened untrained, after `TrainingNeeded`.
        """
        libraries, opening = portions(LIBRARIES_COST, 1 - LIBRARIES_COST)
        yield libraries
        yield Progress("loading torch")
        yield from preload_torch(stop)
        yield Progress("importing torch")
        workbench = self._import_all()
        from core.jobs.dense_net import open_dense_net
        from core.jobs.preflight import check

        check(workbench)
        net = yield from within(opening, open_dense_net(workbench, stop, may_train=False))
        from core.jobs.measurement import known_costs

        yield from known_costs(workbench, net.weights, stop)
        return net

    def _import_all(self) -> Workbench:
        """Import the modules of jobs and plots in this thread, so that the screen need not wait.

        With the garbage collector, scanning these modules would stop every thread for 0.1 s at a
        time now, and for 0.2 s during fine-tuning.
        """
        with importing():
            from tui.plots.drawing import canvas

            canvas.load_plotext()
            import_module("tui.views.plot_drawers")
            import_module("core.jobs.measurement")
            return self._workbench

    def train_first(self, recipe: str, changes: RecipeChanges, stop: StopFlag) -> Stream[Net]:
        """Train the missing dense net, which later sessions open."""
        from core.jobs.dense_net import train_first

        return train_first(self._workbench, recipe, changes, stop)

    def train(
        self, recipe: str, changes: RecipeChanges, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[TrainingResult, Net]]:
        """Train another dense net, with the settings but for their recipe; it becomes a run."""
        from core.jobs import recorded_jobs

        chosen = replace(settings, recipe=recipe, changes=changes)
        workbench = self._workbench.with_settings(chosen)
        result = yield from recorded_jobs.train(workbench, self.experiment, stop)
        return result, workbench.net(result)

    def profiles(
        self, base: Net, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Profile, ...]]:
        """The weights of the base in the order in which the settings' criterion prunes them."""
        return self._workbench_for(settings).profiles(base, stop)

    def _workbench_for(self, settings: Settings) -> Workbench:
        """A workbench with the criterion and the repair of these settings, the same for the same.

        It keeps what several measurements of a plan need.
        """
        way, (known, workbench) = _way(settings), self._last
        if way == _way(self.settings):
            return self._workbench
        if way != known or workbench is None:
            workbench = self._workbench.with_settings(settings)
            self._last = way, workbench
        return workbench

    def prune(
        self, base: Net, plan: Mapping[str, float], settings: Settings, stop: StopFlag
    ) -> Stream[PruningResult]:
        """Apply the plan to the base in one shot and measure it."""
        from core.jobs import measurement

        return measurement.prune(self._workbench_for(settings), base, plan, stop)

    def reconstruct(
        self,
        base: Net,
        plan: Mapping[str, float],
        settings: Settings,
        pruned: Accuracy | None,
        stop: StopFlag,
    ) -> Stream[tuple[PruningResult, Net]]:
        """Prune the base to the plan layer by layer, and measure it; it becomes a run.

        `pruned` is the accuracy of the plan in one shot, if this session has measured it.
        """
        from core.jobs import recorded_jobs

        chosen = replace(settings, changes=settings.changes.from_reconstructed())
        workbench = self._workbench.with_settings(chosen)
        result = yield from recorded_jobs.prune(
            workbench, base, plan, self.experiment, stop, pruned
        )
        made = result.reconstructed
        accuracy = made.accuracy if made else result.accuracy
        net = workbench.net_of(result.weights, accuracy, run=result.run).pruned_from(base)
        return result, replace(net, reconstructed=True)

    def finetune(
        self,
        base: Net,
        plan: Mapping[str, float],
        settings: Settings,
        pruned: Accuracy | None,
        reconstructed: ReconstructedNet | None,
        stop: StopFlag,
    ) -> Stream[tuple[FineTuningResult, Net]]:
        """Fine-tune the base to the plan with the settings' recipe.

        `pruned` is the accuracy of the plan in one shot, if this session has measured it;
        `reconstructed` is the net of this base and plan to start from, if there is one.
        """
        from core.jobs import recorded_jobs

        workbench = self._workbench.with_settings(settings)
        result = yield from recorded_jobs.finetune(
            workbench, base, plan, self.experiment, stop, pruned=pruned, reconstructed=reconstructed
        )
        return result, workbench.net(result, base)

    def layer_times(self, base: Net, stop: StopFlag) -> Stream[NetCosts]:
        """Time the layers on this machine at several sparsities, unless that was done before."""
        from core.jobs import measurement

        return measurement.costs_in(self._workbench, base.weights, "ns", stop)

    def scan(self, base: Net, settings: Settings, stop: StopFlag) -> Stream[Scan]:
        """Scan how sensitive the base's layers are; the scan is stored with the experiment."""
        from core.jobs import measurement
        from core.jobs.goals import store_scan

        workbench = self._workbench_for(settings)
        scan = yield from measurement.scan(
            workbench, base.weights, uniform=UNIFORM_SPARSITIES, stop=stop
        )
        yield from store_scan(workbench, base.digest, scan, self.experiment)
        return scan

    def stored_scan(self, base: Net, settings: Settings) -> Scan | None:
        """The stored scan of these weights, if any; reads a small file."""
        from core.experiments.saved_scans import load_scan

        bench, folder = self._workbench_for(settings), self.experiment.folder
        return load_scan(folder, base.digest, SPLITS[0], bench.data_name, bench.repair).scan

    def lightest(
        self,
        base: Net,
        max_drop: float,
        by: By,
        method: str,
        locked: Mapping[str, float],
        settings: Settings,
        stop: StopFlag,
    ) -> Stream[tuple[Lightest, Net | None]]:
        """Find the lightest net within a drop in accuracy; also returns that net."""
        from core.lightest.job import given, lightest
        from core.lightest.search import Search

        workbench = self._workbench.with_settings(settings)
        search = Search(max_drop, by, method, locked)
        seeds = (settings.seed,)
        found = yield from lightest(
            workbench, given(base), search, self.experiment, seeds, stop=stop
        )
        best = found.best
        return found, None if best is None else workbench.net(best.result, best.base)

    def new_sweep(self) -> SweepFolder:
        """The files of a new sweep; raises InputError if they cannot be written, or one runs."""
        from core.sweep.live.folder import SweepFolder, check_alone

        check_alone(self.experiment.folder)
        return SweepFolder.claim(self.experiment.folder)

    def sweep(
        self, command: Sequence[str] | None, folder: SweepFolder, leaves: StopFlag, stop: StopFlag
    ) -> Stream[SweepResult | None]:
        """Watch a sweep in a process of its own, which `command` starts unless it runs.

        A raised flag `leaves` ends the watching, and not the sweep.
        """
        from tui.jobs.sweep_job import sweep

        return sweep(command, folder, leaves, stop)

    def restore(self, dense: Net, run: Run, stop: StopFlag) -> Stream[RestoredRun]:
        """Restore a run, completing it first if it was interrupted."""
        from core.jobs.restore import restore
        from core.jobs.resume import resume

        yield Progress(f"reading run {run.id}")
        resuming, reading = portions(0.0 if run.finished else 0.95, 0.05)
        if not run.finished:
            again = resume(self._workbench, dense, run, self.experiment, stop)
            yield from within(resuming, again)
            run = self.experiment.find(run.id)
        stream = restore(self._workbench, dense, self.experiment, run)
        return (yield from within(reading, stream))

    def benchmark(
        self,
        base: Net,
        plan: Mapping[str, float],
        net: Net | None,
        settings: Settings,
        stop: StopFlag,
    ) -> Stream[Benchmark]:
        """Benchmark a net made for the plan, or the plan applied to the base, in every engine."""
        from core.jobs import measurement
        from core.nets.weights import copy_weights

        workbench = self._workbench_for(settings)
        if net is not None:
            return (yield from measurement.benchmark(workbench, net.weights, stop=stop))
        pruned = copy_weights((yield from measurement.pruned_net(workbench, base, plan, stop)))
        return (yield from measurement.benchmark(workbench, pruned, stop=stop))

    def export(
        self, result: Result, to: Path, packing: Packing, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Export, Sizes]]:
        """Export a plan's result to a file, read it back, and measure it and its sizes.

        The file is recorded with the run that produced the net.
        """
        from core.jobs import measurement
        from core.jobs.export import export, record_export
        from core.nets.weights import copy_weights

        workbench = self._workbench.with_settings(settings)
        base, plan, net = result.base, result.plan, result.net
        exporting, sizing = portions(0.8, 0.2)
        if net is not None:
            weights = net.weights
        else:
            weights = copy_weights((yield from measurement.pruned_net(workbench, base, plan, stop)))
        file = yield from within(exporting, export(workbench, weights, to, packing, stop))
        untouched = all(plan[profile.layer.name] == profile.floor for profile in base.profiles)
        run = net.run if net else base.run if untouched else None
        record = yield from record_export(file, packing, self.experiment, run)
        if result.sizes is not None:
            return record, result.sizes
        yield sizing
        yield Progress("measuring file sizes")
        return record, workbench.sizes(weights)

    def measure(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        """Measure a plan on a growing sample and predict images, the fastest measurement first.

        May run beside a job.
        """
        from core.jobs import measurement

        workbench, base, plan = self._workbench_for(request.settings), request.base, request.plan
        shown, images = request.net or base, request.images
        compare = partial(measurement.compare, workbench, request.dense, shown, plan, stop=stop)
        if images and images.mode == "chosen":
            yield from compare("chosen", images.start)
        if request.accuracy:
            yield from measurement.sample(workbench, base, plan, stop)
        if request.costs:
            yield from measurement.count_activity(workbench, shown, plan, stop)
        if images and (request.matrix or images.mode == "wrong"):
            yield from compare(images.mode, images.start, matrix=True)
