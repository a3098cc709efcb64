"""A backend whose jobs send scripted events and wait for the test; the screen is the real one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from core.errors import StoppedError
from core.events import (
    Accuracy,
    Batch,
    Epoch,
    Event,
    Measured,
    Notice,
    Progress,
    StopFlag,
    Stream,
    TrainingNeeded,
)
from core.experiments.experiment import Experiment
from core.experiments.exports import Export
from core.experiments.runs import Run
from core.formats.export_formats import Packing
from core.inference.benchmark_result import Benchmark, BenchmarkUpdated
from core.jobs.net import Net
from core.jobs.restore import RestoredRun
from core.lightest.trials import (
    By,
    Descent,
    DescentStarted,
    Lightest,
    PackingStarted,
    TrialFinished,
    TrialStarted,
)
from core.measure.comparison import ComparisonUpdated
from core.measure.costs import Activity, ActivityMeasured, NetActivity
from core.nets.footprint import DeadUnits, Sizes
from core.pruning.budgets.costs import CostsKnown, NetCosts
from core.pruning.curves import Sample, SampleUpdated, Scan, ScanUpdated
from core.pruning.masks import Masks
from core.pruning.what_if import Profile
from core.reconstruction.measured_net import ReconstructedNet
from core.reconstruction.tasks import layer_notice
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.sweep.live.events import SweepResult
from core.sweep.live.folder import SWEEPS, SweepFolder
from core.training.finetuning import PruningResult
from tests.tui.scripted_nets import (
    AGGRESSIVE,
    DENSE,
    LAYER,
    MACS,
    MODERATE,
    PATIENCE,
    PRUNED,
    RECONSTRUCTED,
    SHAPES,
    SIZES,
    TIMES,
    TUNED,
    course,
    net,
    residual,
    scanned,
)
from tests.tui.scripted_results import compared, timed, tried
from tests.tui.scripted_sweeps import DONE, EVENTS, RESULT
from tui.jobs.backend import Backend
from tui.state.measurement import ImageSelection, MeasurementRequest
from tui.state.results import Result, order_of


@dataclass
class Scripted(Backend):
    """The jobs of the app, scripted.

    Attributes:
        pause_at: how many events a fine-tuning sends before it waits for `go`.
        pauses_in: the first fine-tuning that waits, counted down to 1.
        dead: the dead units of every result.
        trial_base: the base of a descent's trials; None for the base of the descent.
        error: raised by the next prune or fine-tuning instead of a result.
        opening: what `open` waits for.
        scan_images: the images per point in each update of a scan.
        stored_scans: scans of an earlier session, by the digest of their weights.
        requested_images: the images predicted in the background.
        measured_plans: the plans whose accuracy was measured in the background.
        counted_plans: the plans whose costs were counted in the background.
        known_accuracies: the one-shot accuracy that each fine-tuning was given.
        rested: lets a measurement in the background see all images.
    """

    settings: Settings = field(default_factory=Settings)
    events: list[Event] = field(default_factory=course)
    pause_at: int | None = None
    pauses_in: int = 1
    dead: DeadUnits | None = None
    trial_base: Net | None = None
    error: Exception | None = None
    diverged: bool = False
    scan_images: tuple[int, ...] = (1_000, 3_000, 5_000)
    experiment: Experiment = field(default_factory=lambda: Experiment(Path("/nowhere")))
    go: threading.Event = field(default_factory=threading.Event)
    paused: threading.Event = field(default_factory=threading.Event)
    opening: threading.Event | None = None
    started: list[str] = field(default_factory=list)
    known_accuracies: list[Accuracy | None] = field(default_factory=list)
    measured_plans: list[dict[str, float]] = field(default_factory=list)
    counted_plans: list[dict[str, float]] = field(default_factory=list)
    stored_scans: dict[str, Scan] = field(default_factory=dict)
    requested_images: list[ImageSelection] = field(default_factory=list)
    rested: threading.Event = field(default_factory=threading.Event)
    trained: bool = True
    recipes: list[tuple[str, RecipeChanges]] = field(default_factory=list)

    def open(self, stop: StopFlag) -> Stream[Net]:
        """Return at once, unless the test sets `opening`; untrained if it clears `trained`."""
        yield Progress("loading torch")
        if self.opening is not None:
            self.opening.wait(PATIENCE)
        if not self.trained:
            yield TrainingNeeded("cnn5 on mnist")
            return replace(self.net_of(accuracy=Accuracy(9.8, 10.1)), trained=False)
        yield CostsKnown(MACS)
        return self.net_of()

    def train_first(self, recipe: str, changes: RecipeChanges, stop: StopFlag) -> Stream[Net]:
        """The missing dense net."""
        self.started.append("train_first")
        self.recipes.append((recipe, changes))
        yield from self._script(stop)
        return self.net_of()

    def train(
        self, recipe: str, changes: RecipeChanges, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Any, Net]]:
        """A dense net that is a little better."""
        self.started.append("train")
        self.recipes.append((recipe, changes))
        yield from self._script(stop)
        accuracy = Accuracy(99.30, 99.45)
        ended = {"stopped": stop(), "diverged": False, "error": ""}
        trained = SimpleNamespace(accuracy=accuracy, best=5, **ended)
        return trained, self.net_of(accuracy=accuracy)

    def profiles(
        self, base: Net, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Profile, ...]]:
        """Those of the base, but with the negative weights first in every layer."""
        self.started.append(f"rank by {order_of(settings)}")
        yield Progress("ranking weights", 500, 1_000, "images")
        if self.pause_at is not None:
            self.paused.set()
            self.go.wait(PATIENCE)
        if stop():
            raise StoppedError("stopped while ranking the weights")
        return tuple(replace(p, negative=p.negative / 8) for p in base.profiles)

    def prune(
        self, base: Net, plan: Mapping[str, float], settings: Settings, stop: StopFlag
    ) -> Stream[PruningResult]:
        """The plan in one shot."""
        self.started.append("prune")
        yield Progress("measure pruned on test", 5_000, 10_000, "images")
        self._fail()
        yield Measured("pruned", PRUNED)
        return PruningResult({}, PRUNED, self.dead, "fp32")

    def reconstruct(
        self,
        base: Net,
        plan: Mapping[str, float],
        settings: Settings,
        pruned: Accuracy | None,
        stop: StopFlag,
    ) -> Stream[tuple[PruningResult, Net]]:
        """A layer, then a net with the plan's zeros."""
        self.started.append("reconstruct")
        self.known_accuracies.append(pruned)
        yield Measured("pruned", PRUNED)
        yield layer_notice(LAYER)
        if self.pause_at is not None:
            self.paused.set()
            self.go.wait(PATIENCE)
        self._fail()
        yield Measured("reconstructed", RECONSTRUCTED)
        net = self.net_of(plan, RECONSTRUCTED)
        made = ReconstructedNet(
            net.weights, Masks({}), RECONSTRUCTED, (LAYER,), 4_000, 0, stop(), 1.5, self.dead
        )
        result = PruningResult(net.weights, PRUNED, self.dead, "fp32", made, SIZES)
        return result, replace(net, run="0003", reconstructed=True)

    def finetune(
        self,
        base: Net,
        plan: Mapping[str, float],
        settings: Settings,
        pruned: Accuracy | None,
        reconstructed: ReconstructedNet | None,
        stop: StopFlag,
    ) -> Stream[tuple[Any, Net]]:
        """The script, then a net with the plan's zeros."""
        self.started.append("finetune" if reconstructed is None else "finetune reconstructed")
        self.known_accuracies.append(pruned)
        yield from self._script(stop)
        self._fail()
        stopped = stop()
        tuned = SimpleNamespace(
            accuracy=TUNED,
            pruned=PRUNED,
            best=None if stopped else 5,
            stopped=stopped,
            diverged=self.diverged,
            error="",
            reconstructed=reconstructed,
            revived=0,
            dead=self.dead,
            sizes=SIZES,
        )
        return tuned, replace(self.net_of(plan, TUNED), run="0002")

    def scan(self, base: Net, settings: Settings, stop: StopFlag) -> Stream[Scan]:
        """Curves that grow, and pause where the trainings do."""
        self.started.append("scan")
        names = [profile.layer.name for profile in base.profiles]
        for images in self.scan_images:
            if images == 3_000 and self.pause_at is not None:
                self.paused.set()
                self.go.wait(PATIENCE)
            if stop():
                return replace(scanned(1_000, names), stopped=True)
            yield ScanUpdated(scanned(images, names))
        whole = scanned(5_000, names)
        return whole if self.scan_images else replace(scanned(0, names), stopped=True)

    def restore(self, dense: Net, run: Run, stop: StopFlag) -> Stream[RestoredRun]:
        """The moderate plan fine-tuned from the dense net, as if that had been the run."""
        self.started.append(f"restore {run.id}")
        yield Progress(f"read run {run.id}")
        self._fail()
        made = replace(self.net_of(MODERATE, TUNED), run=run.id)
        epochs = tuple(event for event in self.events if isinstance(event, Epoch))
        settings = replace(self.settings, changes=RecipeChanges(epochs=2))
        return RestoredRun(
            settings, dense, MODERATE, made, "finetuned", PRUNED, epochs, dead=self.dead
        )

    def layer_times(self, base: Net, stop: StopFlag) -> Stream[NetCosts]:
        """See `TIMES`."""
        self.started.append("layer_times")
        yield Progress("timing the layers", 1, 5, "times")
        if stop():
            raise StoppedError("stopped before every layer was timed")
        return TIMES

    def stored_scan(self, base: Net, settings: Settings) -> Scan | None:
        """Look it up in `stored_scans`."""
        return self.stored_scans.get(base.digest)

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
        """Two trials, of which the first passes."""
        self.started.append(f"lightest {max_drop} {by} {method} {dict(locked)}")
        trials, least = [], DENSE.validation - max_drop
        yield DescentStarted(settings.seed, by, least)
        for number, (ratio, plan) in enumerate(((30.0, MODERATE), (60.0, AGGRESSIVE)), 1):
            yield TrialStarted(number, ratio, 5)
            yield from self._script(stop)
            result = SimpleNamespace(
                accuracy=TUNED,
                pruned=PRUNED,
                run=f"000{number}",
                stopped=stop(),
                dead=self.dead,
                sizes=SIZES,
            )
            if by == "bytes":
                yield PackingStarted()
                yield Batch(1, 2, 256, 55_000, 0.1, 98.0, 1.0)
            start = self.trial_base or base
            trials.append(tried(number, ratio, settings, start, plan, result))
            yield TrialFinished(trials[-1], by)
            if stop():
                break
        descent = Descent(settings.seed, least, tuple(trials), complete=not stop())
        found = Lightest(by, max_drop, (settings.seed,), (descent,), stop())
        return found, self.net_of(MODERATE, TUNED)

    def benchmark(
        self,
        base: Net,
        plan: Mapping[str, float],
        made: Net | None,
        settings: Settings,
        stop: StopFlag,
    ) -> Stream[Benchmark]:
        """One thread, then two; it pauses between them where trainings do."""
        self.started.append(f"bench {'made' if made else dict(plan)}")
        yield Progress("batch 1, 1 thread:", 1, 5, "s")
        first = timed((1, 64), (1,))
        yield BenchmarkUpdated(first)
        if self.pause_at is not None:
            self.paused.set()
            self.go.wait(PATIENCE)
        return replace(first, stopped=True) if stop() else timed((1, 64), (1, 2))

    def export(
        self, result: Result, to: Path, packing: Packing, settings: Settings, stop: StopFlag
    ) -> Stream[tuple[Export, Sizes]]:
        """Write a file of the size it reports."""
        self.started.append(f"export {to.name} {packing.values} {packing.levels}")
        levels = packing.levels or (12 if packing.quantizes else None)
        yield Progress("validate", 2_500, 5_000, "images")
        yield Notice("8 values a layer: validation 98.90 %, wanted 99.16")
        yield Batch(1, 1, 27_500, 55_000, 0.02, 99.1, 9.0)
        if self.pause_at is not None:
            self.paused.set()
            self.go.wait(PATIENCE)
        if stop():
            raise StoppedError("stopped: nothing was written")
        self._fail()
        size = 5_512 if levels else 24_100
        to.write_bytes(bytes(size))
        accuracy = replace(result.accuracy, test=result.accuracy.test - 0.02)
        return Export(str(to), size, packing.values, levels, accuracy), SIZES

    def new_sweep(self) -> SweepFolder:
        """The files of a sweep that nobody writes."""
        return SweepFolder(self.experiment.folder / SWEEPS / "0001")

    def sweep(
        self, command: Sequence[str] | None, folder: SweepFolder, leaves: StopFlag, stop: StopFlag
    ) -> Stream[SweepResult | None]:
        """Three of four trials, unless it is left."""
        self.started.append("sweep")
        yield from EVENTS
        yield DONE
        return None if leaves() else RESULT

    def measure(self, request: MeasurementRequest, stop: StopFlag) -> Stream[None]:
        """Images at once; the first sample, and all images once `rested` is set."""
        if request.images:
            self.requested_images.append(request.images)
            yield ComparisonUpdated(
                compared(counted=request.matrix or request.images.mode == "wrong")
            )
        if request.costs:
            self.counted_plans.append(dict(request.plan))
            does = {name: Activity(1_000.0, 100.0, 0.5, 0.5) for name in SHAPES}
            yield ActivityMeasured(NetActivity(does, 5_000, 5_000), "validation")
        if not request.accuracy:
            return
        self.measured_plans.append(dict(request.plan))
        yield SampleUpdated(Sample(243, 250, 5_000))
        while not self.rested.wait(0.01):
            if stop():
                raise StoppedError("stopped")
        yield SampleUpdated(Sample(4_862, 5_000, 5_000))

    def net_of(self, plan: Mapping[str, float] | None = None, accuracy: Accuracy = DENSE) -> Net:
        """The net a job produces, pruned to a plan."""
        return net(plan, accuracy)

    def _script(self, stop: StopFlag) -> Stream[None]:
        self.pauses_in -= 1
        for number, event in enumerate(self.events):
            if number == self.pause_at and self.pauses_in <= 0:
                self.paused.set()
                self.go.wait(PATIENCE)
            if stop():
                return
            yield event

    def _fail(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error


@dataclass
class Many(Scripted):
    """The same jobs with another net, such as one with many layers."""

    net: Net = field(default_factory=residual)

    def open(self, stop: StopFlag) -> Stream[Net]:
        """Return the net at once."""
        yield from ()
        return self.net

    def net_of(self, plan: Mapping[str, float] | None = None, accuracy: Accuracy = DENSE) -> Net:
        """The same net whatever the plan; its layers do not change."""
        return replace(self.net, accuracy=accuracy, digest=repr(plan))
