"""The key that times the net on the screen, in every engine there is."""

from dataclasses import replace
from functools import partial

from core.events import Event
from core.inference.timings import Benchmark, BenchmarkUpdated
from tui.features.availability import available
from tui.session import Session
from tui.state.results import Speed
from tui.views import outcomes


class Benchmarking:
    """How fast is it?"""

    def __init__(self, session: Session) -> None:
        self.session = session

    @available(waits=True)
    def start(self) -> None:
        """Time the fine-tuned net of this plan; without one, the plan applied to the base.

        What was timed before stays on the screen until there is something newer.
        """
        session = self.session
        base, plan, tuned = session.state.base, session.state.planned, session.state.tuned
        key = session.state.key
        if base is None or key is None:
            return
        speed = partial(Speed, key, tuned)

        def follow(event: Event) -> None:
            if isinstance(event, BenchmarkUpdated):
                session.state = replace(session.state, speed=speed(event.bench))

        def finish(bench: Benchmark) -> None:
            session.state = replace(session.state, speed=speed(bench))
            session.doing = outcomes.timed(bench)

        session.bring_into_view("speed")
        session.start_job(
            "timing", partial(session.backend.benchmark, base, plan, tuned), finish, follow
        )
