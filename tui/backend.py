"""Core's jobs for the app. Nothing here imports torch until the first job runs, in its thread."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from core.events import Progress, StopFlag, Stream
from core.libraries import bring_in
from core.recipes import Recipe
from core.settings import Settings

if TYPE_CHECKING:
    from core.curves import Sample
    from core.finetuning import FineTuned, Pruned
    from core.training import Trained
    from core.workbench import Net, Workbench


class Backend(Protocol):
    """The jobs that the app can run; a test may script them."""

    settings: Settings

    def open(self, stop: StopFlag) -> Stream[Net]:
        """Bring in torch, the data and the dense net, and measure it."""

    def train(self, stop: StopFlag) -> Stream[tuple[Trained, Net]]:
        """Train a new dense net."""

    def prune(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[Pruned]:
        """Apply the plan to the base in one shot and measure it."""

    def finetune(
        self, base: Net, plan: Mapping[str, float], recipe: Recipe, stop: StopFlag
    ) -> Stream[tuple[FineTuned, Net]]:
        """Fine-tune the base towards the plan by the recipe."""

    def look(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[Sample]:
        """Measure the plan in one shot on a growing sample, beside any job."""


class CoreBackend:
    """The real jobs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def _bench(self) -> Workbench:
        from core.workbench import Workbench

        return Workbench(self.settings)

    def open(self, stop: StopFlag) -> Stream[Net]:
        """See `Backend.open`."""
        yield Progress("bring in torch")
        yield from bring_in(stop)
        bench = self._import_all()
        return (yield from bench.open(stop))

    def _import_all(self) -> Workbench:
        """Import what jobs and plots need, in this thread, so that the screen waits for none of it.

        The garbage collector is off meanwhile: it would look through all that has been imported,
        none of it garbage, again and again, for 0.1 s at a time that stops every thread. Nor does
        it ever look through it later, when it would be 0.2 s in the middle of a fine-tuning.
        """
        gc.disable()
        try:
            from tui.views import plot

            plot.bring_in()
            return self._bench
        finally:
            gc.freeze()
            gc.enable()

    def train(self, stop: StopFlag) -> Stream[tuple[Trained, Net]]:
        """See `Backend.train`."""
        trained = yield from self._bench.train(stop)
        return trained, self._bench.net(trained)

    def prune(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[Pruned]:
        """See `Backend.prune`."""
        return (yield from self._bench.prune(base, plan, stop))

    def finetune(
        self, base: Net, plan: Mapping[str, float], recipe: Recipe, stop: StopFlag
    ) -> Stream[tuple[FineTuned, Net]]:
        """See `Backend.finetune`."""
        tuned = yield from self._bench.finetune(base, plan, stop, recipe)
        return tuned, self._bench.net(tuned, base.early)

    def look(self, base: Net, plan: Mapping[str, float], stop: StopFlag) -> Stream[Sample]:
        """See `Backend.look`."""
        return (yield from self._bench.look(base, plan, stop))
