"""The keys of the sensitivity plot: the scan, and the line that a tolerance draws."""

from functools import partial

from core.events import Event
from core.pruning.curves import Scan, ScanUpdated
from tui.features.feature import Feature, available
from tui.views import outcomes


class Scanning(Feature):
    """How far can each layer go?"""

    @available(waits=True)
    def start(self) -> None:
        """Scan the base, live."""
        session, base = self.session, self.state.base
        if base is None:
            return
        before = self.state.scans.get(base.digest)

        def follow(event: Event) -> None:
            if isinstance(event, ScanUpdated):
                session.state = session.state.with_scan(base.digest, event.scan)

        def finish(scan: Scan) -> None:
            best = before if scan.stopped and before and before.exact else scan
            session.state = session.state.with_scan(base.digest, best)
            session.activity = outcomes.scanned(scan, session.state.tolerance)

        start = partial(session.backend.scan, base)
        session.start_job("scanning", start, finish, follow, plot="sensitivity")

    @available()
    def tolerate(self, steps: int) -> None:
        """Move the line in the sensitivity plot, with the plot on the screen."""
        self.session.bring_into_view("sensitivity")
        self.session.show(self.state.tolerate(steps))
