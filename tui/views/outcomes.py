"""What is said when a job has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InputError, StoppedError, WorkError
from core.inference.timings import SPARSE, Bench
from tui.state.layer_rows import groups_of
from tui.state.results import Result
from tui.text.format import (
    count,
    difference,
    duration,
    gain,
    milliseconds,
    percent,
    plural,
    ratio,
)
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.experiments.exports import Export
    from core.jobs.restore import Restored
    from core.jobs.search import Found
    from core.jobs.workbench import Net
    from core.pruning.curves import Scan
    from core.training.dense import Trained
    from core.training.finetuning import FineTuned


def opened(net: Net, interrupted: str | None, warnings: tuple[str, ...] = ()) -> Outcome:
    """The dense net is there; perhaps also a run that was interrupted, or something to know."""
    accuracy = net.accuracy
    next_step = "arrows or m choose sparsities, p prunes, f fine-tunes, ? explains everything"
    if groups_of(tuple(profile.layer.name for profile in net.profiles)):
        next_step = "space folds a group, / finds layers, * takes all of a kind, ? explains it all"
    said = [*reversed(warnings)]
    if interrupted is not None:
        said.insert(0, f"run {interrupted} was interrupted: press h to resume it")
    if said:
        next_step = " · ".join(said)
    return Outcome(
        f"ready: the dense net has {percent(accuracy.test)} % on test, "
        f"{percent(accuracy.validation)} % on validation",
        next_step,
    )


def timed(bench: Bench) -> Outcome:
    """A net has been timed; what it is with as many threads as there were at first."""
    said, slower = [], False
    for batch, threads in bench.cases:
        row = bench.row(SPARSE, batch, threads)
        factor = bench.gain(row) if row and threads == bench.cases[0][1] else None
        if row and factor:
            slower |= factor < 1
            said.append(f"batch {batch} {milliseconds(row.latency.median)} ms ({gain(factor)})")
    early = ", stopped early" * bench.stopped
    return Outcome(
        f"{plural(bench.cases[0][1], 'thread')}: {', '.join(said)} "
        f"against the best dense engine{early}",
        "the plot speed has the rest; featherweight bench RUN --json keeps it",
        role="warning" if slower or bench.stopped else "good",
    )


def trained(result: Trained, seconds: float) -> Outcome:
    """A new dense net is there."""
    how = _how(result, f"trained in {duration(seconds)}")
    return Outcome(
        f"{how}: a new dense net with {percent(result.accuracy.test)} % on test, "
        f"best epoch {result.best}",
        "it is the base now, for this session; featherweight train keeps one in a file",
        role="warning" if result.stopped or result.diverged else "good",
    )


def pruned(result: Result, dense: Net | None) -> Outcome:
    """The plan has been measured in one shot."""
    change = f" (dense {percent(dense.accuracy.test)})" if dense else ""
    return Outcome(
        f"pruned at once to {ratio(result.footprint.ratio)}: "
        f"{percent(result.accuracy.test)} % on test{change}",
        "f fine-tunes from the base to this plan",
    )


def finetuned(result: Result, tuned: FineTuned, dense: Net | None) -> Outcome:
    """Before and after, at a glance."""
    how = _how(tuned, f"fine-tuned in {duration(result.seconds)}")
    against = ""
    if dense:
        gap = difference(tuned.accuracy.test - dense.accuracy.test)
        against = f", dense {percent(dense.accuracy.test)} ({gap})"
    kept = f"best epoch {tuned.best}" if tuned.best else "pruned the rest of the way"
    return Outcome(
        f"{how}: test {percent(tuned.pruned.test)} → {percent(tuned.accuracy.test)} %"
        f"{against}, {ratio(result.footprint.ratio)}",
        f"{kept}, revived {tuned.revived} · a adopts it, to prune again",
        role="warning" if tuned.stopped or tuned.diverged else "good",
    )


def _how(result: Trained | FineTuned, whole: str) -> str:
    """How a training came to its end."""
    if result.diverged:
        return "the loss diverged"
    return "stopped early" if result.stopped else whole


def scanned(scan: Scan, tolerance: float) -> Outcome:
    """The curves are there."""
    if not any(point.images for point in scan.points()):
        return Outcome("stopped before anything was measured", "s scans again", role="warning")
    how = "scanned" if not scan.stopped else "stopped early: every curve on fewer images"
    return Outcome(
        f"{how}: + and - move the line, now {tolerance:g} below dense",
        "g: from a goal to sparsities, or each layer down to the line",
        role="warning" if scan.stopped else "good",
    )


def found(found: Found) -> Outcome:
    """The search has come to an end."""
    early = "stopped early: " if found.stopped else ""
    tried = plural(len(found.trials), "trial")
    if found.best is None:
        return Outcome(
            f"{early}none of {tried} reached {percent(found.least)} % on validation",
            "allow a larger drop, or more epochs (c); h shows every trial",
            role="warning",
        )
    accuracy = found.best.result.accuracy
    return Outcome(
        f"{early}{ratio(found.best.asked)} keeps {percent(accuracy.validation)} % on validation, "
        f"{percent(accuracy.test)} % on test: the lightest of {tried}",
        "its plan and its net are here: a adopts it; h shows every trial",
        role="warning" if found.stopped else "good",
    )


def exported(export: Export, result: Result, warnings: tuple[str, ...] = ()) -> Outcome:
    """A file is written, and this is what it gives."""
    dense = result.footprint.dense_bytes
    kept = export.values if export.levels is None else f"{export.values} of {export.levels}"
    said = (*warnings, f"values: {kept}", f"featherweight inspect {export.name}" * export.compact)
    return Outcome(
        f"{export.name}: {count(export.bytes)} bytes, {dense / export.bytes:.1f}x smaller than "
        f"dense; test {percent(result.accuracy.test)} %, read back "
        f"{percent(export.accuracy.test)} %",
        " · ".join(filter(None, said)),
        role="warning" if warnings else "good",
    )


def restored(restored: Restored, run_id: str) -> Outcome:
    """A run is back."""
    accuracy = restored.net.accuracy
    scores = f"{percent(accuracy.validation)} % on validation, {percent(accuracy.test)} % on test"
    if restored.plan is None:
        return Outcome(f"run {run_id} is the dense net now: {scores}", "u goes back")
    return Outcome(
        f"back at run {run_id}: {scores}",
        "with its base, plan and recipe: a adopts it, u goes back",
    )


def failed(error: BaseException, is_open: bool) -> Outcome:
    """The job raised an error; its own words where it is one of ours."""
    advice = "nothing is lost: go on" if is_open else "when it is mended, r tries again; q leaves"
    if isinstance(error, StoppedError):
        return Outcome(str(error), "" if is_open else "r tries again; q leaves", role="warning")
    known = isinstance(error, InputError | WorkError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    return Outcome(text, advice, role="error")
