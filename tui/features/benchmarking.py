"""The key `b`: benchmarks the net on the screen in every installed engine."""

from dataclasses import replace
from functools import partial

from core.events import Event
from core.inference.benchmark_result import Benchmark, BenchmarkUpdated
from tui.features.feature import Feature, available
from tui.state.results import Speed
from tui.views import job_outcomes


class Benchmarking(Feature):
    """Benchmarking the net on the screen."""

    @available(waits=True)
    def start(self) -> None:
        """Benchmark the net made for the plan or, without one, the plan applied to the base.

        The previous benchmark stays on the screen until a newer one has rows.
        """
        session = self.session
        base, plan, net = self.state.base, self.state.planned, self.state.net
        if base is None or (key := self.state.key) is None:
            return
        speed = partial(Speed, key, net, stage=self.state.stage)

        def follow(event: Event) -> None:
            if isinstance(event, BenchmarkUpdated):
                session.state = replace(session.state, speed=speed(event.benchmark))

        def finish(benchmark: Benchmark) -> None:
            session.state = replace(session.state, speed=speed(benchmark))
            session.activity = job_outcomes.benchmarked(benchmark)

        start = partial(session.backend.benchmark, base, plan, net, self.state.settings)
        session.start_job("benchmarking", start, finish, follow, plot="speed")
