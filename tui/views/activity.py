"""The activity lines: the running job's progress, or the last job's outcome, and a message."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from time import monotonic

from core.events import Batch, Epoch, Event, Notice, Progress
from core.lightest.trials import DescentStarted, PackingStarted, TrialFinished, TrialStarted
from core.progress import Meter
from core.sweep.live.events import SweepPlanned
from tui.keys.keymap import with_keys
from tui.state.training_curve import smoothed
from tui.text.format import count, duration, percent, score_on, trial_result
from tui.text.lines import Line, Lines, Span, cut, wrap_cells

HEIGHT = 2
MOST = 4
"""Lines for an outcome with warnings."""

SHORTEST_BAR = 6
LONGEST_BAR = 40

MORE = " … ({messages}: all messages)"


@dataclass(frozen=True, slots=True)
class Said:
    """A message that takes the second line for a moment; `until` is on the monotonic clock."""

    text: str
    role: str
    until: float


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The running job, as shown in the activity lines.

    Attributes:
        recipe: its own, while the title line has that of the next training; empty if it has none.
        since: its start time on the monotonic clock; when it is stopping, the time of that.
        notice: the last notice; a warning if `warned`.
        short: the same in fewer words, if there are any.
        batch: the last one; its accuracy is smoothed like that of the accuracy plot.
        guesses: whether the time left depends on what it finds.
    """

    title: str
    since: float
    recipe: str = ""
    step: Progress | None = None
    batch: Batch | None = None
    epoch: Epoch | None = None
    notice: str = ""
    short: str = ""
    warned: bool = False
    warnings: tuple[str, ...] = ()
    stopping: bool = False
    guesses: bool = False
    meter: Meter = field(default_factory=Meter)
    said: Said | None = None

    def after(self, event: Event, now: float | None = None) -> JobProgress:
        """With one more event."""
        meter = self.meter.after(event, monotonic() if now is None else now)
        return replace(self, meter=meter)._with(event)

    def stop(self, now: float | None = None) -> JobProgress:
        """Asked to stop: what was left no longer matters."""
        now = monotonic() if now is None else now
        stopped = replace(self, stopping=True, since=now, meter=self.meter.stop())
        return replace(stopped, batch=None, epoch=None)

    def _with(self, event: Event) -> JobProgress:
        match event:
            case Progress():
                return replace(self, step=event)
            case Batch() | Epoch() if self.stopping:
                return self
            case Batch():
                before = self.batch.accuracy if self.batch else None
                accuracy = smoothed(before, event.accuracy)
                return replace(self, batch=replace(event, accuracy=accuracy), step=None)
            case Epoch():
                return replace(self, epoch=event)
            case Notice() | SweepPlanned():
                return self._noticed(event)
            case TrialFinished():
                return replace(self, notice=trial_result(event.trial, event.by), warned=True)
            case DescentStarted():
                return replace(self, guesses=True)
            case PackingStarted():
                return self._titled(f"{self.title}, its file")
            case TrialStarted():
                return self._titled(f"trial {event.number}: {event.ratio:.1f}x")
            case _:
                return self

    def _noticed(self, event: Notice | SweepPlanned) -> JobProgress:
        if isinstance(event, SweepPlanned):  # what was said before it is about its plans
            return replace(self, notice="", short="", warned=False)
        warnings = (*self.warnings, event.text) if event.warning else self.warnings
        said = replace(self, notice=event.text, short=event.short, warned=event.warning)
        return replace(said, warnings=warnings)

    def _titled(self, title: str) -> JobProgress:
        """With a title for what follows."""
        return replace(self, title=title, step=None, batch=None, epoch=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the last job, and what to do next; keys in braces are those in force.

    Attributes:
        role: good, warning, error or muted.
        transient: whether it disappears when the plan changes.
        warnings: of the job, each shown in full if there is room.
    """

    text: str
    detail: str = ""
    role: str = "good"
    transient: bool = False
    warnings: tuple[str, ...] = ()
    said: Said | None = None

    def __post_init__(self) -> None:
        for name in ("text", "detail"):
            object.__setattr__(self, name, with_keys(getattr(self, name)))


def activity(shown: JobProgress | Outcome, width: int, now: float | None = None) -> Lines:
    """A job's progress, or an outcome and what to do next; a message for a moment in their place.

    Two lines, so that what is above keeps its height; only warnings and errors may take more.
    """
    now = monotonic() if now is None else now
    if isinstance(shown, Outcome):
        lines = _outcome(shown, width)
    else:
        lines = (_headline(shown, width, now), *_details(shown, width))
    said = shown.said
    if said is None or now >= said.until:
        return lines
    return _with_message(lines, said, width)


def _with_message(lines: Lines, said: Said, width: int) -> Lines:
    """Lines with a message from the second one on; a long one takes the first, too."""
    message = _wrapped(said.text, width, said.role)
    if said.role != "error":
        message = _at_most(message, max(HEIGHT, len(lines)), width)
    if lines[0] == _EMPTY or len(message) >= len(lines):
        return message
    return (lines[0], *message, *lines[1 + len(message) :])


_EMPTY: Line = (Span("  ", "good"),)


def _wrapped(text: str, width: int, role: str) -> Lines:
    return tuple((Span(f"  {line}", role),) for line in wrap_cells(text, max(width - 3, 10)))


def _at_most(lines: Lines, most: int, width: int) -> Lines:
    """The first lines; if some are left out, the last one says where they are."""
    if len(lines) <= most:
        return lines
    (span,) = lines[most - 1]
    more = with_keys(MORE)
    text = span.text[: max(2, width - 1 - len(more))].rstrip()
    return (*lines[: most - 1], (Span(text + more, span.role),))


def _outcome(outcome: Outcome, width: int) -> Lines:
    """An error in full; otherwise as much of the text and its warnings as there is room for."""
    lines = _wrapped(outcome.text, width, outcome.role) or (_EMPTY,)
    for warning in outcome.warnings:
        lines += _wrapped(warning, width, "warning")
    whole = outcome.role == "error"
    if not whole:
        lines = _at_most(lines, MOST, width)
    if len(lines) < HEIGHT or whole or (outcome.warnings and len(lines) < MOST):
        lines += ((Span(f"  {cut(outcome.detail, max(width - 3, 10))}", "muted"),),)
    return lines


def _headline(job: JobProgress, width: int, now: float) -> Line:
    title, done = f"stopping: {job.title}" if job.stopping else job.title, job.meter.done
    facts = [f"{100 * done:3.0f} %"] if done is not None else []
    if (batch := job.batch) is not None:
        title += f"  epoch {batch.epoch} of {batch.epochs}"
        if batch.seconds:
            facts.append(f"{count(round(_images(batch) / batch.seconds))} images/s")
    left = _time_left(job, now)
    about = "about " if job.guesses else ""
    facts.append(duration(now - job.since) if left is None else f"{about}{duration(left)} left")
    while len(facts) > 1 and _bar_width(title, facts, width) < SHORTEST_BAR:
        del facts[-2]
    chip = f" {job.recipe} " if job.recipe and not job.stopping else ""
    if _bar_width(title, facts, width) - len(chip) - 2 < SHORTEST_BAR:
        chip = ""
    room = _bar_width(title + "  " * bool(chip) + chip, facts, width)
    return (
        Span(f"  {title}  ", "working"),
        *((Span(chip, "chip"), Span("  ", "plain")) if chip else ()),
        *(_bar(done or 0.0, min(room, LONGEST_BAR)) if room >= SHORTEST_BAR else ()),
        Span("".join(f"  {fact}" for fact in facts), "plain"),
    )


def _bar_width(title: str, facts: list[str], width: int) -> int:
    return width - len(title) - sum(2 + len(fact) for fact in facts) - 4


def _details(job: JobProgress, width: int) -> Lines:
    """What the job does and has found; a warning that does not fit beside it is above it.

    Another notice takes fewer words if it has them, and the step leaves out how far it is, if that
    is enough; else the notice is cut: it is among the messages.
    """
    facts = " · ".join(_facts(job))
    if not job.notice or not (job.warned or job.batch is None):
        return _line(facts, width)
    if not job.warned:
        return _line(_fitting(job, facts, width - 3), width)
    room = width - 3 - len(f" · {facts}" * bool(facts))
    if len(job.notice) <= room:
        return _line(" · ".join(filter(None, (job.notice, facts))), width)
    notice = _wrapped(job.notice, width, "warning")
    return (*_at_most(notice, HEIGHT, width), *(_line(facts, width) if facts else ()))


def _fitting(job: JobProgress, facts: str, room: int) -> str:
    """The notice and the facts, in the longest wording that fits; else the notice is cut."""
    steps = dict.fromkeys((facts, job.step.step if job.step else facts))
    for notice, step in product(filter(None, (job.notice, job.short)), steps):
        if len(text := " · ".join(filter(None, (notice, step)))) <= room:
            return text
    return " · ".join(
        filter(None, (cut(job.notice, room - len(f" · {facts}" * bool(facts))), facts))
    )


def _line(text: str, width: int) -> Lines:
    return ((Span(cut(f"  {text}", width), "muted"),),)


def _facts(job: JobProgress) -> list[str]:
    facts = []
    if job.step is not None:
        facts.append(_step(job.step))
    elif job.stopping:
        facts.append("waiting for the current batch to end")
    elif job.batch is not None:
        facts += [f"loss {job.batch.loss:.4f}", f"batch {job.batch.accuracy:.1f} %"]
    if job.epoch is not None:
        facts.append(f"validation {score_on(job.epoch.validation, job.epoch.images)} %")
        if job.epoch.sparsity:
            facts.append(f"sparsity {percent(100 * job.epoch.sparsity)} %")
            facts.append(f"revived {job.epoch.revived}")
    return facts


def _step(step: Progress) -> str:
    if not step.total:
        known = step.unit == "B" and step.done
        return f"{step.step} {step.done / 1e6:.1f} MB" if known else step.step
    if not step.unit:
        return step.step
    if step.unit == "B":
        return f"{step.step} {step.done / 1e6:.1f} of {step.total / 1e6:.1f} MB"
    return f"{step.step} {count(step.done)} of {count(step.total)} {step.unit}"


def _images(batch: Batch) -> int:
    """Images trained on so far."""
    return (batch.epoch - 1) * batch.images + batch.seen


def _time_left(job: JobProgress, now: float) -> float | None:
    """The time left at the job's pace so far or, before that is known, at the training's."""
    left, batch = job.meter.left(now), job.batch
    if left is not None or job.guesses or batch is None or not batch.seconds:
        return left  # the training is one of many if the job guesses
    trained = _images(batch) / (batch.epochs * batch.images)
    return batch.seconds * (1 - trained) / trained


def _bar(done: float, width: int) -> Line:
    filled = round(done * width)
    return (Span("━" * filled, "working"), Span("─" * (width - filled), "muted"))
