"""The messages shown when a job ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import StoppedError
from core.inference.benchmark_result import SPARSE, Benchmark
from tui.state.layer_rows import groups_of
from tui.state.results import Result
from tui.system.error_log import explain
from tui.text.format import (
    are_few,
    count,
    difference_from,
    duration,
    gain,
    milliseconds,
    percent,
    plural,
    ratio,
    score,
    size_change,
    trial_cost,
)
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.experiments.exports import Export
    from core.jobs.net import Net
    from core.jobs.restore import RestoredRun
    from core.lightest.trials import Lightest
    from core.pruning.curves import Scan
    from core.sweep.live.events import SweepResult
    from core.training.dense import TrainingResult
    from core.training.finetuning import FineTuningResult
    from tui.state.training_curve import TrainingCurve


STOPPED_TRIALS = "Trials in progress stay as interrupted runs; the same sweep resumes them."
"""What stopping a sweep does."""


def opened(net: Net, interrupted: str | None, warnings: tuple[str, ...] = ()) -> Outcome:
    """The dense net is open; there may be an interrupted run or warnings."""
    accuracy = net.accuracy
    next_step = (
        "{less}{more} or {presets}: sparsities · {prune}: prune · {fine-tune}: fine-tune · "
        "{help}: help"
    )
    if groups_of(tuple(profile.layer.name for profile in net.profiles)):
        next_step = (
            "{fold}: fold · {find-layers}: find layers · {same-kind}: same kind · {help}: help"
        )
    if not net.trained:
        next_step = "{train} to train it · {help}: help"
    if interrupted is not None:
        next_step = f"run {interrupted} was interrupted: press {{open-history}} to resume it"
    state = "dense net at chance" if net.at_chance else "ready: dense net"
    state = "dense net perhaps at chance (few images)" if net.unclear else state
    return Outcome(
        f"{state if net.trained else 'untrained net'}, {score(accuracy)} % on test, "
        f"{score(accuracy, 'validation')} % on validation",
        next_step,
        role="good" if net.trained and not net.at_chance else "warning",
        warnings=warnings,
    )


def benchmarked(benchmark: Benchmark) -> Outcome:
    """A net has been benchmarked; shows only the first number of threads."""
    latencies, slower = [], False
    for batch, threads in benchmark.cases:
        row = benchmark.row(SPARSE, batch, threads)
        factor = benchmark.gain(row) if row and threads == benchmark.cases[0][1] else None
        if row and factor:
            slower |= factor < 1
            latency = milliseconds(row.latency.median)
            latencies.append(f"{latency} ms at batch {batch} ({gain(factor)})")
    early = ", stopped early" if benchmark.stopped else ""
    return Outcome(
        f"{plural(benchmark.cases[0][1], 'thread')}: {', '.join(latencies)} "
        f"vs. the best dense engine{early}",
        "full results in the speed plot; to save them: featherweight bench RUN --json FILE",
        role="warning" if slower or benchmark.stopped else "good",
    )


def trained(result: TrainingResult, seconds: float, warnings: tuple[str, ...] = ()) -> Outcome:
    """A dense training has ended."""
    how = _how(result, f"trained in {duration(seconds)}")
    return Outcome(
        f"{how}: a new dense net with {score(result.accuracy)} % on test, best epoch {result.best}",
        result.error or "now the base for this session; {open-history} to restore it later",
        role="warning" if result.stopped or result.diverged else "good",
        warnings=warnings,
    )


def pruned(result: Result, dense: Net | None) -> Outcome:
    """The plan's one-shot result has been measured."""
    change = f" (dense {score(dense.accuracy)})" if dense else ""
    return Outcome(
        f"pruned to {ratio(result.footprint.ratio)}: {score(result.accuracy)} % on test{change}",
        "{reconstruct} to reconstruct, {fine-tune} to fine-tune",
    )


def reconstructed(result: Result, dense: Net | None, warnings: tuple[str, ...] = ()) -> Outcome:
    """The plan's reconstructed net has been measured."""
    made = result.reconstruction
    stopped = made is not None and made.stopped
    how = "stopped early, the rest by magnitude" if stopped else "reconstructed"
    change = f" ({difference_from(result.accuracy, dense.accuracy)} vs. dense)" if dense else ""
    images = f" on {count(made.images)} training images" if made else ""
    return Outcome(
        f"{how}, {ratio(result.footprint.ratio)}: {score(result.accuracy)} % on test{change}",
        f"in {duration(result.seconds)}{images} · {{fine-tune}} to fine-tune from it",
        role="warning" if stopped else "good",
        warnings=warnings,
    )


def finetuned(
    result: Result, tuned: FineTuningResult, dense: Net | None, warnings: tuple[str, ...] = ()
) -> Outcome:
    """A net has been fine-tuned: test accuracy before and after."""
    how = _how(tuned, f"fine-tuned in {duration(result.seconds)}")
    against = ""
    if dense:
        # On few images a second interval would leave no line for the advice.
        few = are_few(dense.accuracy.images[1])
        reference = "dense" if few else f"dense {score(dense.accuracy)} %"
        against = f" ({difference_from(tuned.accuracy, dense.accuracy)} vs. {reference})"
    advice = f"best epoch {tuned.best}, revived {tuned.revived} · {{adopt}} to adopt it as the base"
    start = tuned.reconstructed
    if not tuned.best:  # no epoch of training at the full plan: the accuracy is that of pruning
        pruned = "the rest of the plan was pruned without training"
        what = "no epoch of training has ended" if start else pruned
        advice = f"{what}; {{fine-tune}} to start over"
    return Outcome(
        f"{how}, {ratio(result.footprint.ratio)}: "
        f"test {score(start.accuracy if start else tuned.pruned)} → "
        f"{score(tuned.accuracy)} %{against}",
        tuned.error or advice,
        role="warning" if tuned.stopped or tuned.diverged else "good",
        warnings=warnings,
    )


def if_stopped(curve: TrainingCurve) -> str:
    """What stopping a fine-tuning gives now, and when the first epoch ends at the full plan.

    Empty if a stop gives the best epoch so far.
    """
    if not curve.spoiled_by_stopping:
        return ""
    seconds = curve.seconds_to_full
    soon = f", in about {duration(seconds)}" if seconds else ""
    return (
        "No epoch has ended at the full plan: what is left is pruned without training. "
        f"Epoch {curve.full_from} of {curve.planned} is the first to end there{soon}."
    )


def _how(result: TrainingResult | FineTuningResult, whole: str) -> str:
    if result.diverged:
        return "the loss diverged"
    return "stopped early" if result.stopped else whole


def scanned(scan: Scan, tolerance: float, *, kept: bool = False) -> Outcome:
    """A scan has ended; `kept` if the complete one before it is still shown."""
    if kept:
        return Outcome("stopped; the complete scan from before is kept", "{scan} to scan again")
    if not any(point.images for point in scan.points()):
        return Outcome(
            "stopped before anything was measured", "{scan} to scan again", role="warning"
        )
    how = "stopped early, so the curves use fewer images" if scan.stopped else "scan done"
    return Outcome(
        f"{how}: tolerance {plural(tolerance, 'point')} below the base; "
        "{looser-tolerance} and {tighter-tolerance} move it",
        "{goal} to set sparsities from a goal or from the tolerance",
        role="warning" if scan.stopped else "good",
    )


def found_lightest(found: Lightest) -> Outcome:
    """The way to the lightest net has ended."""
    if not found.trials and found.stopped:
        again = found.error or "{goal} to start again"
        return Outcome("stopped before the first trial ended", again, role="warning")
    early = "stopped early; " if found.stopped else ""
    trials, best = plural(len(found.trials), "trial"), found.best
    if best is None:
        return Outcome(
            f"{early}no net in {trials} reached {percent(found.descents[0].least)} % on validation",
            found.error
            or "allow a larger drop or more epochs ({recipe}) · {open-history} to list the trials",
            role="warning",
        )
    values = f", {best.file.levels} levels to {{export}}" if best.file else ""
    return Outcome(
        f"{early}lightest in {trials}: {trial_cost(best, found.by)}, "
        f"{score(best.accuracy, 'validation')} % on validation",
        found.error
        or f"its plan and net are loaded{values} · {{adopt}} to adopt it · "
        "{open-history} to list the trials",
        role="warning" if found.stopped or found.error else "good",
    )


def exported(export: Export, result: Result, warnings: tuple[str, ...] = ()) -> Outcome:
    """A file has been written and measured."""
    dense = result.footprint.dense_bytes
    kept = export.values if export.levels is None else f"{export.values}, {export.levels} levels"
    inspect = f"featherweight inspect {export.name}" if export.compact else ""
    details = (f"values: {kept}", inspect)
    return Outcome(
        f"{export.name}: {count(export.bytes)} bytes, {size_change(export.bytes, dense)} than "
        f"dense; test {score(result.accuracy)} %, "
        f"{score(export.accuracy)} % when read back",
        " · ".join(filter(None, details)),
        warnings=warnings,
    )


def restored(restored: RestoredRun, run_id: str) -> Outcome:
    """A run has been restored."""
    accuracy = restored.net.accuracy
    scores = f"{score(accuracy, 'validation')} % on validation, {score(accuracy)} % on test"
    if restored.plan is None:
        return Outcome(f"the net of run {run_id} is now the dense net: {scores}", "{undo} to undo")
    what = "base, plan and recipe" if restored.stage == "finetuned" else "base and plan"
    return Outcome(
        f"run {run_id} restored: {scores}",
        f"with its {what} · {{adopt}} to adopt · {{undo}} to undo",
    )


def failed(error: BaseException, is_open: bool) -> Outcome:
    """The job raised an error."""
    advice = (
        "nothing is lost"
        if is_open
        else "fix it, then press {revert-to-dense} to retry; {quit} to quit"
    )
    if isinstance(error, StoppedError):
        return Outcome(
            str(error),
            "" if is_open else "{revert-to-dense} to retry; {quit} to quit",
            role="warning",
        )
    return Outcome(explain(error), advice, role="error")


def swept(result: SweepResult | None, *, ours: bool) -> Outcome:
    """How a sweep ended; None if it was left. `ours` says whether its form is that of this app."""
    if result is None:
        return Outcome("the sweep keeps running", "{sweep} returns to it", role="muted")
    done, failed = len(result.outcomes), sum(o.record is None for o in result.outcomes)
    text = f"sweep: {plural(done - failed, 'trial')} done"
    text += f", {failed} failed" if failed else ""
    if result.unfinished:
        left = f", {len(result.unfinished)} left"
        how = "{sweep} starts the rest" if ours else "run the same sweep again for the rest"
        return Outcome(text + left, f"{how} · {{open-history}} history", "warning")
    return Outcome(text, "{open-history} compares their runs", "warning" if failed else "good")
