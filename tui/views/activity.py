"""The activity lines: the running job's progress, or the last job's outcome."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

from core.events import Batch, Epoch, Event, Notice, Progress
from core.jobs.search import TrialFinished, TrialStarted
from tui.keys.keymap import with_keys
from tui.text.format import count, duration, percent, score_on, trial_result
from tui.text.lines import Line, Lines, Span, cut, wrap_cells

HEIGHT = 2
SHORTEST_BAR = 6


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The running job, as shown in the activity lines.

    Attributes:
        since: its start time on the monotonic clock.
        notice: the last notice; a warning if `warned`.
    """

    title: str
    since: float
    step: Progress | None = None
    batch: Batch | None = None
    epoch: Epoch | None = None
    notice: str = ""
    warned: bool = False
    warnings: tuple[str, ...] = ()
    stopping: bool = False

    def after(self, event: Event) -> JobProgress:
        """With one more event."""
        match event:
            case Progress():
                return replace(self, step=event)
            case Batch():
                return replace(self, batch=event, step=None)
            case Epoch():
                return replace(self, epoch=event)
            case Notice():
                warnings = (*self.warnings, event.text) if event.warning else self.warnings
                return replace(self, notice=event.text, warned=event.warning, warnings=warnings)
            case TrialFinished():
                return replace(self, notice=trial_result(event.trial), warned=True)
            case TrialStarted():
                title = f"search {event.number}/{event.trials}: {event.ratio:.1f}x"
                return replace(self, title=title, step=None, batch=None, epoch=None)
            case _:
                return self


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the last job, and what to do next; keys in braces are those in force.

    Attributes:
        role: good, warning, error or muted.
        transient: whether it disappears when the plan changes.
    """

    text: str
    detail: str = ""
    role: str = "good"
    transient: bool = False

    def __post_init__(self) -> None:
        for name in ("text", "detail"):
            object.__setattr__(self, name, with_keys(getattr(self, name)))


def activity(shown: JobProgress | Outcome, width: int, now: float | None = None) -> Lines:
    """Two lines: a job's progress, or an outcome and what to do next."""
    if isinstance(shown, Outcome):
        return _outcome(shown, width)
    elapsed = (monotonic() if now is None else now) - shown.since
    return (_headline(shown, width, elapsed), _detail(shown, width))


def _outcome(outcome: Outcome, width: int) -> Lines:
    """An error in full; otherwise the text and, if there is room, what to do next."""
    room = max(width - 3, 10)
    lines = [Span(f"  {line}", outcome.role) for line in wrap_cells(outcome.text, room)]
    if len(lines) < HEIGHT or outcome.role == "error":
        lines.append(Span(f"  {cut(outcome.detail, room)}", "muted"))
    return tuple((line,) for line in lines)


def _headline(job: JobProgress, width: int, elapsed: float) -> Line:
    title, done = "stopping" if job.stopping else job.title, fraction_done(job)
    facts = [f"{100 * done:3.0f} %"] if done is not None else []
    if (batch := job.batch) is not None:
        title += f"  epoch {batch.epoch} of {batch.epochs}"
        if batch.seconds:
            facts.append(f"{count(round(_images(batch) / batch.seconds))} images/s")
    facts.append(_time_left(job, done, elapsed))
    while len(facts) > 1 and _bar_width(title, facts, width) < SHORTEST_BAR:
        del facts[-2]
    room = _bar_width(title, facts, width)
    return (
        Span(f"  {title}  ", "working"),
        *(_bar(done or 0.0, min(room, 40)) if room >= SHORTEST_BAR else ()),
        Span("".join(f"  {fact}" for fact in facts), "plain"),
    )


def _bar_width(title: str, facts: list[str], width: int) -> int:
    return width - len(title) - sum(2 + len(fact) for fact in facts) - 4


def _detail(job: JobProgress, width: int) -> Line:
    parts = []
    if job.step is not None:
        parts.append(_step(job.step))
    elif job.batch is not None:
        parts += [f"loss {job.batch.loss:.4f}", f"batch {job.batch.accuracy:.1f} %"]
    if job.epoch is not None:
        parts.append(f"validation {score_on(job.epoch.validation, job.epoch.images)} %")
        if job.epoch.sparsity:
            parts.append(f"sparsity {percent(100 * job.epoch.sparsity)} %")
            parts.append(f"revived {job.epoch.revived}")
    if job.notice and (job.warned or job.batch is None):
        parts.insert(0, job.notice)
    return (Span(cut("  " + " · ".join(parts), width), "muted"),)


def _step(step: Progress) -> str:
    if not step.total:
        known = step.unit == "B" and step.done
        return f"{step.step} {step.done / 1e6:.1f} MB" if known else step.step
    if step.unit == "B":
        return f"{step.step} {step.done / 1e6:.1f} of {step.total / 1e6:.1f} MB"
    return f"{step.step} {count(step.done)} of {count(step.total)} {step.unit}"


def fraction_done(job: JobProgress) -> float | None:
    """The finished fraction of a training or, if none runs, of the current step."""
    if job.batch is not None:
        return _images(job.batch) / (job.batch.epochs * job.batch.images)
    if job.step is not None and job.step.total:
        return job.step.done / job.step.total
    return None


def _images(batch: Batch) -> int:
    """Images trained on so far."""
    return (batch.epoch - 1) * batch.images + batch.seen


def _time_left(job: JobProgress, done: float | None, elapsed: float) -> str:
    """The time left at the training's pace so far; the elapsed time if unknown."""
    if job.batch is None or not done:
        return duration(elapsed)
    return f"{duration(job.batch.seconds * (1 - done) / done)} left"


def _bar(done: float, width: int) -> Line:
    filled = round(done * width)
    return (Span("━" * filled, "working"), Span("─" * (width - filled), "muted"))
