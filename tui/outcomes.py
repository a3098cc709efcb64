"""What is said when a job has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InputError, StoppedError, WorkError
from tui.format import difference, duration, percent, ratio
from tui.state import Result
from tui.views.activity import Outcome

if TYPE_CHECKING:
    from core.finetuning import FineTuned
    from core.training import Trained
    from core.workbench import Net


def opened(net: Net) -> Outcome:
    """The dense net is there."""
    accuracy = net.accuracy
    return Outcome(
        f"ready: the dense net has {percent(accuracy.test)} % on test, "
        f"{percent(accuracy.validation)} % on validation",
        "arrows or m choose sparsities, p prunes, f fine-tunes, ? explains everything",
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


def failed(error: BaseException, is_open: bool) -> Outcome:
    """The job raised an error; its own words where it is one of ours."""
    advice = "nothing is lost: go on" if is_open else "when it is mended, r tries again; q leaves"
    if isinstance(error, StoppedError):
        return Outcome(str(error), "" if is_open else "r tries again; q leaves", role="warning")
    known = isinstance(error, InputError | WorkError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    return Outcome(text, advice, role="error")
