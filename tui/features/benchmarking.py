"""The key that times the net that is shown, in every engine that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from core.events import Event
from core.inference.timings import Bench, Timed
from tui.jobs.backend import Backend
from tui.session import Session
from tui.state.results import Speed
from tui.views import outcomes


class Racing(Session):
    """Everything that answers: how fast is it?"""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        # What the job times, to which the comparison belongs.
        self._timed: Callable[[Bench], Speed] | None = None

    def action_bench(self) -> None:
        """Time the fine-tuned net of this plan; where there is none, the plan applied to the base.

        What was timed before stays in sight until there is something newer.
        """
        base, plan, tuned = self.state.base, self.state.planned, self.state.tuned
        if base is None:
            return
        timed = partial(Speed, plan, base, tuned)

        def finish(bench: Bench) -> None:
            self.state = replace(self.state, speed=timed(bench))
            self.doing = outcomes.timed(bench)

        self._timed = timed
        self.bring_into_sight("speed")
        backend = self.backend
        self.start_job("timing", lambda stop: backend.bench(base, plan, tuned, stop), finish)

    def follow(self, event: Event) -> None:
        """Fold what a comparison says into the state."""
        super().follow(event)
        if isinstance(event, Timed) and self._timed is not None:
            self.state = replace(self.state, speed=self._timed(event.bench))
