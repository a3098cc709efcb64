"""The keys of the sensitivity plot: the scan and the tolerance line."""

from functools import partial

from core.events import Event
from core.pruning.curves import PointScanned, Scan, ScanUpdated
from tui.features.feature import Feature, available
from tui.views import job_outcomes


class Scanning(Feature):
    """Scanning the layers' sensitivity, and moving the tolerance line."""

    @available(waits=True)
    def start(self) -> None:
        """Scan the base; the plot updates as it runs."""
        session, base = self.session, self.state.base
        if base is None:
            return
        before, key = self.state.base_scan, self.state.scan_key(base)

        def follow(event: Event) -> None:
            if isinstance(event, ScanUpdated | PointScanned):
                session.state = session.state.with_scan(key, event.scan)

        def finish(scan: Scan) -> None:
            best = before if scan.stopped and before and before.exact else scan
            session.state = session.state.with_scan(key, best)
            session.activity = job_outcomes.scanned(
                scan, session.state.tolerance, kept=best is not scan
            )

        start = partial(session.backend.scan, base, session.state.settings)
        session.start_job("scanning", start, finish, follow, plot="sensitivity")

    @available()
    def move_tolerance(self, steps: int) -> None:
        """Move the tolerance line, and bring its plot into view."""
        self.session.bring_into_view("sensitivity")
        self.session.show(self.state.move_tolerance(steps))
