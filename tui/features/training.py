"""The jobs that make nets: open, train, prune, fine-tune; stop, adopt, go back."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from core.errors import InputError
from core.events import Batch, Epoch, Event, Measured
from tui.screens.dialogs import Question
from tui.session import Session
from tui.state.results import Course, Result
from tui.text.format import ratio
from tui.views import outcomes
from tui.views.activity import Outcome, Working

if TYPE_CHECKING:
    from core.jobs.workbench import Net
    from core.training.dense import Trained
    from core.training.finetuning import FineTuned, Pruned
    from tui.jobs.backend import Backend


class Training(Session):
    """The jobs that make nets."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        # What the job applies to which base; its accuracy is the base's until it is measured.
        self._subject: Result | None = None

    def open_dense(self) -> None:
        """Bring everything in."""
        self.start_job("loading", self.backend.open, self._opened)

    def _opened(self, net: Net) -> None:
        self.state = self.with_kept_scan(self.state.with_dense(net))
        warnings = self.doing.warnings if isinstance(self.doing, Working) else ()
        self.doing = outcomes.opened(net, self._interrupted(), warnings)

    def _interrupted(self) -> str | None:
        """The newest run, if it was interrupted and can be resumed."""
        try:
            newest = self.backend.experiment.newest()
        except InputError:
            return None
        return newest.id if newest.resumable else None

    def action_prune(self) -> None:
        """Prune the base to the plan in one shot, and measure it."""
        base, plan, since = self.state.base, self.state.planned, self.state.moment
        if base is None:
            return
        subject = Result(plan, base, base.accuracy, self.state.footprint)

        def finish(pruned: Pruned) -> None:
            result = replace(subject, accuracy=pruned.accuracy, dead=pruned.dead)
            self.state = self.state.with_pruned(result, since)
            self.doing = outcomes.pruned(result, self.state.dense)

        self._subject = subject
        self.start_job("pruning", lambda stop: self.backend.prune(base, plan, stop), finish)

    def action_finetune(self) -> None:
        """Fine-tune the base to the plan, live."""
        base, plan, began = self.state.base, self.state.planned, monotonic()
        if base is None:
            return
        subject = Result(plan, base, base.accuracy, self.state.footprint)
        since, settings = self.state.moment, self.state.settings

        def finish(outcome: tuple[FineTuned, Net]) -> None:
            tuned, net = outcome
            seconds = monotonic() - began
            result = replace(
                subject,
                accuracy=tuned.accuracy,
                net=net,
                seconds=seconds,
                dead=tuned.dead,
                sizes=tuned.sizes,
            )
            self.state = self.state.with_finetuned(result, since)
            self.doing = outcomes.finetuned(result, tuned, self.state.dense)

        self._subject = subject
        self.watch_training(Course(settings.finetuning.epochs, finetuning=True))
        title = f"fine-tuning to {ratio(subject.footprint.ratio)}"
        self.start_job(
            title, lambda stop: self.backend.finetune(base, plan, settings, stop), finish
        )

    def action_train(self) -> None:
        """Train a new dense net, if that is meant."""
        question = Question("Train a new dense net? It replaces the one that is open.", "train")
        self.push_screen(question, self._train)

    def _train(self, meant: bool | None) -> None:
        began = monotonic()

        def finish(outcome: tuple[Trained, Net]) -> None:
            result, net = outcome
            self.state = self.state.with_dense(net)
            self.doing = outcomes.trained(result, monotonic() - began)

        if meant:
            self._subject, settings = None, self.state.settings
            self.watch_training(Course(settings.finetuning.dense.epochs, finetuning=False))
            self.start_job("training", lambda stop: self.backend.train(settings, stop), finish)

    def action_stop(self) -> None:
        """Ask the job for an early end."""
        if self.job is not None and isinstance(self.doing, Working):
            self.job.stop()
            self.doing = replace(self.doing, stopping=True)
            self.show(self.state)

    def action_adopt(self) -> None:
        """Make the fine-tuned net the base."""
        self.doing = Outcome(
            "the fine-tuned net is the base now: its zeros are the floor of every plan",
            "raise sparsities and fine-tune again (Han's iteration); r goes back to dense",
        )
        self.show(self.with_kept_scan(self.state.adopt()))

    def action_revert(self) -> None:
        """Make the dense net the base again; try again to open it where that failed."""
        if self.state.base is None:
            self.open_dense()
            return
        self.doing = Outcome("the dense net is the base again", "u takes sparsities back")
        self.show(self.state.revert())

    def follow(self, event: Event) -> None:
        """Fold what a training says into the state."""
        super().follow(event)
        course = self.state.course
        if course and isinstance(event, Batch):
            self.state = replace(self.state, course=course.after_batch(event))
        elif course and isinstance(event, Epoch):
            self.state = replace(self.state, course=course.after_epoch(event))
        elif isinstance(event, Measured) and event.stage == "pruned" and self._subject:
            pruned = replace(self._subject, accuracy=event.accuracy)
            self.state = replace(self.state, pruned=pruned)

    def watch_training(self, course: Course) -> None:
        """Begin a new curve, and have it in sight."""
        self.state = replace(self.state, course=course)
        self.bring_into_sight("accuracy")
