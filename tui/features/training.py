"""The jobs that produce nets: open, train, prune, reconstruct, fine-tune; and the base's choice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from core.errors import InputError
from core.events import Event, Measured, StopFlag, Stream, TrainingNeeded
from core.pruning.budgets.costs import CostsKnown
from core.settings.settings import DEFAULTS
from core.sweep.live.folder import newest_sweep
from tui.features.feature import Feature, available
from tui.screens.recipe_dialog import RecipeDialog
from tui.session import Session
from tui.state.recipe_form import RecipeForm
from tui.state.results import Result
from tui.state.training_curve import TrainingCurve
from tui.text.format import ratio
from tui.views import job_outcomes
from tui.views.activity import JobProgress, Outcome

if TYPE_CHECKING:
    from core.events import Accuracy
    from core.jobs.net import Net
    from core.training.dense import TrainingResult
    from core.training.finetuning import FineTuningResult, PruningResult
    from tui.jobs.job import Job

T = TypeVar("T")


def _revertible(session: Session) -> bool:
    return session.state.adopted or session.state.base is None


def _stoppable(session: Session) -> bool:
    return session.job is not None and not session.job.stopping


def _adoptable(session: Session) -> bool:
    return session.state.adoptable is not None


def _trainable(session: Session) -> bool:
    return session.state.base is not None and session.state.recipe.epochs > 0


class Training(Feature):
    """Producing nets, and choosing the base."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._untrained = ""
        """The net to be trained first, in words; empty if there is a trained one."""
        self._measured: Result | None = None
        """The last plan whose one-shot accuracy this session has measured."""

    def open(self) -> None:
        """Load torch, the data and the dense net."""
        self._untrained = ""
        self.session.start_job("loading", self.session.backend.open, self._opened, self._note)

    def _note(self, event: Event) -> None:
        """Remember that there is no trained net yet, and what the net costs."""
        if isinstance(event, TrainingNeeded):
            self._untrained = event.net
        elif isinstance(event, CostsKnown):
            self.session.state = self.state.with_costs(event.costs)

    def _opened(self, net: Net) -> None:
        session, interrupted = self.session, None
        with suppress(InputError):  # there is no run yet
            newest = session.backend.experiment.newest()
            interrupted = newest.id if newest.resumable else None
        session.state = session.with_stored_scan(session.state.with_dense(net))
        session.activity = job_outcomes.opened(net, interrupted, session.warnings)
        sweep = newest_sweep(session.backend.experiment.folder)
        if sweep is not None and sweep.is_running:
            detail = "a sweep of this experiment runs: {sweep} watches it"
            session.activity = replace(session.activity, detail=detail)
        if self._untrained:
            title = f"Train {self._untrained} now? There is no trained net yet."
            self._ask_recipe(title, self._train_first, "not now")

    def _ask_recipe(self, title: str, take: Callable[[RecipeForm], None], no: str) -> None:
        """Ask how to train a dense net."""
        base, settings = self.state.base, self.state.settings
        recipe = "reference" if settings.protocol == "reference" else DEFAULTS.recipe
        size = base.training_size if base else None
        form = RecipeForm(recipe, trains=True, size=size)
        self.session.ask(RecipeDialog(form, title, "train", no), take)

    def _train_first(self, form: RecipeForm) -> None:
        start = partial(self.session.backend.train_first, form.recipe, form.changes)
        self._start_training(form, start, self._opened)

    def _start_training(
        self, form: RecipeForm, start: Callable[[StopFlag], Stream[T]], finish: Callable[[T], None]
    ) -> None:
        """Start a dense training, with its curve in view."""
        self._untrained = ""
        session = self.session
        phase = form.chosen.finetune
        curve = TrainingCurve(phase.epochs, finetuning=False, highest_rate=phase.lr)
        follow = session.follow_training
        session.start_job("training", start, finish, follow, curve=curve, recipe=form.recipe)

    @available(waits=True)
    def prune(self) -> None:
        """Prune the base to the plan in one shot, and measure the result."""
        session, subject = self.session, self._subject()
        if subject is None:
            return
        since = session.state.undo_point

        def finish(pruned: PruningResult) -> None:
            self._measured = result = replace(subject, accuracy=pruned.accuracy, dead=pruned.dead)
            session.state = session.state.with_pruned(result, since)
            session.activity = job_outcomes.pruned(result, session.state.dense)

        session.start_job(
            "pruning",
            partial(session.backend.prune, subject.base, subject.plan, session.state.settings),
            finish,
            partial(self._follow, subject),
        )

    @available(waits=True)
    def reconstruct(self) -> None:
        """Prune the base to the plan layer by layer so that each keeps its output."""
        session, subject, began = self.session, self._subject(), monotonic()
        if subject is None:
            return
        since, settings = session.state.undo_point, session.state.settings

        def finish(outcome: tuple[PruningResult, Net]) -> None:
            made, net = outcome
            result = replace(
                subject,
                accuracy=net.accuracy,
                net=net,
                seconds=monotonic() - began,
                dead=made.dead,
                sizes=made.sizes,
                reconstruction=made.reconstructed,
            )
            session.state = session.state.with_reconstructed(result, since)
            session.activity = job_outcomes.reconstructed(
                result, session.state.dense, session.warnings
            )

        known = self._known_pruned()
        session.start_job(
            f"reconstructing at {ratio(subject.footprint.ratio)}",
            partial(session.backend.reconstruct, subject.base, subject.plan, settings, known),
            finish,
            partial(self._follow, subject),
        )

    @available(
        _trainable,
        waits=True,
        why="the recipe has 0 epochs: {prune} or {reconstruct} only measures, {recipe} changes it",
    )
    def finetune(self) -> None:
        """Fine-tune the reconstructed net, else the base, to the plan; the plot updates."""
        session, subject, began = self.session, self._subject(), monotonic()
        if subject is None:
            return
        since, settings = session.state.undo_point, session.state.settings
        recipe, start, known = self.state.recipe, self.state.reconstruction, self._known_pruned()

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
            partial(session.backend.finetune, subject.base, subject.plan, settings, known, start),
            finish,
            partial(self._follow, subject),
            curve=TrainingCurve(
                recipe.epochs,
                finetuning=True,
                highest_rate=recipe.finetune.lr,
                full_from=recipe.first_full_epoch,
            ),
            recipe=recipe.name + " from reconstructed" * recipe.reconstruct,
        )

    def _known_pruned(self) -> Accuracy | None:
        """The accuracy of the plan in one shot, if this session has measured it."""
        measured = self._measured
        return measured.accuracy if measured and self.state.is_current(measured) else None

    def _subject(self) -> Result | None:
        """The plan's result, with the base's accuracy until its own is measured."""
        state, base = self.state, self.state.base
        if base is None:
            return None
        return Result(state.planned, base, base.accuracy, state.footprint, shot=state.shot)

    def _follow(self, subject: Result, event: Event) -> None:
        self.session.follow_training(event)
        if not isinstance(event, Measured) or event.stage not in ("pruned", "reconstructed"):
            return
        result = replace(subject, accuracy=event.accuracy)
        if event.stage == "pruned":
            self._measured = result
            self.session.state = replace(self.state, pruned=result)
        elif self.state.reconstruction is None:
            self.session.state = replace(self.state, reconstructed=result)

    @available(waits=True)
    def train(self) -> None:
        """Train a new dense net, after asking."""
        title = "Train a new dense net? It replaces the current one."
        self._ask_recipe(title, self._train, "cancel")

    def _train(self, form: RecipeForm) -> None:
        session, settings, began = self.session, self.state.settings, monotonic()

        def finish(outcome: tuple[TrainingResult, Net]) -> None:
            result, net = outcome
            session.state = session.state.with_dense(net)
            session.activity = job_outcomes.trained(result, monotonic() - began, session.warnings)

        start = partial(session.backend.train, form.recipe, form.changes, settings)
        self._start_training(form, start, finish)

    @available(_stoppable, why="no job is running")
    def stop(self) -> None:
        """Stop the job early; asks first if that would spoil its net."""
        if self._if_stopped:
            self.ask_to_stop()
        else:
            self._stop(self.session.job)

    @available(_stoppable)
    def ask_to_stop(self) -> None:
        """Ask whether to stop the job, on a key that many press to leave something."""
        session, activity = self.session, self.session.activity
        if isinstance(activity, JobProgress):
            stop = partial(self._stop, session.job)
            question = f"Stop {activity.title}? {self._if_stopped}".rstrip()
            session.confirm_while_it_runs(question, "Stop it", "Keep it running", stop)

    @property
    def _if_stopped(self) -> str:
        """What stopping the running job would spoil, in words; empty if nothing."""
        if self.session.leave_job is not None:
            return job_outcomes.STOPPED_TRIALS
        curve = self.state.curve
        return job_outcomes.if_stopped(curve) if curve and self.session.trains else ""

    def _stop(self, job: Job | None) -> None:
        """Stop this job, unless it has ended."""
        session = self.session
        if job is not None and job is session.job and isinstance(session.activity, JobProgress):
            job.stop()
            session.activity = session.activity.stop()
            session.show(session.state)

    @available(_adoptable, waits=True, why="nothing to adopt yet: {fine-tune} fine-tunes the net")
    def adopt(self) -> None:
        """Make the fine-tuned or reconstructed net the base."""
        net = self.state.adoptable
        how = "reconstructed" if net is not None and net.reconstructed else "fine-tuned"
        self.session.activity = Outcome(
            f"the {how} net is now the base: its zeros are the floor for every plan",
            "raise sparsities and fine-tune again (iterative pruning); {revert-to-dense} to revert",
        )
        self.session.show(self.session.with_stored_scan(self.state.adopt()))

    @available(_revertible, waits=True, why="the dense net is the base already")
    def revert(self) -> None:
        """Make the dense net the base again, or retry opening it if that failed."""
        if self.state.base is None:
            self.open()
        else:
            text = "the dense net is the base again"
            self.session.activity = Outcome(text, "{undo} to undo")
            self.session.show(self.state.revert())
