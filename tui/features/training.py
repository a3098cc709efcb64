"""The jobs that produce nets: open, train, prune, fine-tune; and the choice of the base."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from core.errors import InputError
from core.events import Event, Measured
from tui.features.feature import Feature, available
from tui.session import Session
from tui.state.results import Result
from tui.state.training_curve import TrainingCurve
from tui.text.format import ratio
from tui.views import job_outcomes
from tui.views.activity import JobProgress, Outcome

if TYPE_CHECKING:
    from core.jobs.workbench import Net
    from core.training.dense import TrainingResult
    from core.training.finetuning import FineTuningResult, PruningResult


def _adoptable(session: Session) -> bool:
    finetuned = session.state.finetuned
    return finetuned is not None and finetuned.net not in (None, session.state.base)


class Training(Feature):
    """Producing nets, and choosing the base."""

    def open(self) -> None:
        """Load torch, the data and the dense net."""
        self.session.start_job("loading", self.session.backend.open, self._opened)

    def _opened(self, net: Net) -> None:
        session, interrupted = self.session, None
        with suppress(InputError):  # there is no run yet
            newest = session.backend.experiment.newest()
            interrupted = newest.id if newest.resumable else None
        session.state = session.with_stored_scan(session.state.with_dense(net))
        session.activity = job_outcomes.opened(net, interrupted, session.warnings)

    @available(waits=True)
    def prune(self) -> None:
        """Prune the base to the plan in one shot, and measure the result."""
        session, subject = self.session, self._subject()
        if subject is None:
            return
        since = session.state.undo_point

        def finish(pruned: PruningResult) -> None:
            result = replace(subject, accuracy=pruned.accuracy, dead=pruned.dead)
            session.state = session.state.with_pruned(result, since)
            session.activity = job_outcomes.pruned(result, session.state.dense)

        session.start_job(
            "pruning",
            partial(session.backend.prune, subject.base, subject.plan),
            finish,
            partial(self._follow, subject),
        )

    @available(waits=True)
    def finetune(self) -> None:
        """Fine-tune the base to the plan; the plot updates as it runs."""
        session, subject, began = self.session, self._subject(), monotonic()
        if subject is None:
            return
        since, settings = session.state.undo_point, session.state.settings

        def finish(outcome: tuple[FineTuningResult, Net]) -> None:
            tuned, net = outcome
            result = replace(
                subject,
                accuracy=tuned.accuracy,
                net=net,
                seconds=monotonic() - began,
                dead=tuned.dead,
                sizes=tuned.sizes,
            )
            session.state = session.state.with_finetuned(result, since)
            session.activity = job_outcomes.finetuned(
                result, tuned, session.state.dense, session.warnings
            )

        session.start_job(
            f"fine-tuning to {ratio(subject.footprint.ratio)}",
            partial(session.backend.finetune, subject.base, subject.plan, settings),
            finish,
            partial(self._follow, subject),
            curve=TrainingCurve(session.state.recipe.epochs, finetuning=True),
        )

    def _subject(self) -> Result | None:
        """The plan's result, with the base's accuracy until its own is measured."""
        state, base = self.state, self.state.base
        return Result(state.planned, base, base.accuracy, state.footprint) if base else None

    def _follow(self, subject: Result, event: Event) -> None:
        self.session.follow_training(event)
        if isinstance(event, Measured) and event.stage == "pruned":
            pruned = replace(subject, accuracy=event.accuracy)
            self.session.state = replace(self.state, pruned=pruned)

    @available(waits=True)
    def train(self) -> None:
        """Train a new dense net, after asking."""
        text = "Train a new dense net? It replaces the current one."
        self.session.confirm(text, "train", self._train)

    def _train(self) -> None:
        session, settings, began = self.session, self.state.settings, monotonic()

        def finish(outcome: tuple[TrainingResult, Net]) -> None:
            result, net = outcome
            session.state = session.state.with_dense(net)
            session.activity = job_outcomes.trained(result, monotonic() - began, session.warnings)

        curve = TrainingCurve(session.state.recipe.dense.epochs, finetuning=False)
        start = partial(session.backend.train, settings)
        session.start_job("training", start, finish, session.follow_training, curve=curve)

    @available(lambda session: session.job is not None and not session.job.stopping)
    def stop(self) -> None:
        """Stop the job early."""
        session = self.session
        if session.job is not None and isinstance(session.activity, JobProgress):
            session.job.stop()
            session.activity = replace(session.activity, stopping=True)
            session.show(session.state)

    @available(_adoptable, waits=True)
    def adopt(self) -> None:
        """Make the fine-tuned net the base."""
        self.session.activity = Outcome(
            "the fine-tuned net is now the base: its zeros are the floor for every plan",
            "raise sparsities and fine-tune again (iterative pruning); r to revert",
        )
        self.session.show(self.session.with_stored_scan(self.state.adopt()))

    @available(lambda session: session.state.adopted or session.state.base is None, waits=True)
    def revert(self) -> None:
        """Make the dense net the base again, or retry opening it if that failed."""
        if self.state.base is None:
            self.open()
        else:
            text = "the dense net is the base again"
            self.session.activity = Outcome(text, "u to undo")
            self.session.show(self.state.revert())
