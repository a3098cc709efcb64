"""The keys of the sensitivity plot: the scan, and the line that a tolerance draws."""

from functools import partial

from core.events import Event
from core.pruning.curves import Scan, ScanUpdated
from tui.features.availability import available
from tui.session import Session
from tui.views import outcomes


class Scanning:
    """How far can each layer go?"""

    def __init__(self, session: Session) -> None:
        self.session = session

    @available(waits=True)
    def start(self) -> None:
        """Scan the base, live."""
        session = self.session
        base = session.state.base
        if base is None:
            return
        before = session.state.scans.get(base.digest)

        def follow(event: Event) -> None:
            if isinstance(event, ScanUpdated):
                session.state = session.state.with_scan(base.digest, event.scan)

        def finish(scan: Scan) -> None:
            worse = scan.stopped and before is not None and before.exact
            kept = before if worse and before else scan
            session.state = session.state.with_scan(base.digest, kept)
            session.doing = outcomes.scanned(scan, session.state.tolerance)

        session.bring_into_view("sensitivity")
        session.start_job("scanning", partial(session.backend.scan, base), finish, follow)

    @available()
    def tolerate(self, steps: int) -> None:
        """Move the line in the sensitivity plot, with the plot on the screen."""
        self.session.bring_into_view("sensitivity")
        self.session.show(self.session.state.tolerate(steps))
