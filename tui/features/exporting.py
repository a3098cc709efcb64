"""The key `e`: writes the net on the screen to a file."""

from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path

from core.events import Event, Notice, StopFlag, Stream
from core.experiments.exports import Export
from core.formats.export_formats import COMPACT
from core.nets.footprint import Sizes
from tui.features.feature import Feature, available
from tui.screens.export_dialog import ExportDialog
from tui.session import Session
from tui.state.export_form import ExportForm
from tui.state.results import Result
from tui.state.state import State
from tui.views import job_outcomes
from tui.views.activity import JobProgress


class Exporting(Feature):
    """Exporting a net and reading it back."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._form = ExportForm("")

    def suggest(self, folder: Path) -> None:
        """Offer a file in a folder at the next export."""
        self._form = ExportForm(str(folder / f"net{COMPACT}"))

    @available(waits=True)
    def ask(self) -> None:
        """Ask for a file and how it stores the values."""
        before = self._form
        name = file_name(self.state, Path(before.path).suffix or COMPACT)
        path = str(Path(before.path).with_name(name)) if before.path else name
        dialog = ExportDialog(net_name(self.state), replace(before, path=path, at=0))
        self.session.ask(dialog, self._take)

    def _take(self, form: ExportForm) -> None:
        self._form = form
        self.session.write_to(form.path.strip(), partial(self._write, form))

    def _write(self, form: ExportForm, path: Path) -> None:
        """Write the net made for the plan or, without one, the plan applied to the base."""
        session, state = self.session, self.state
        base, plan, known = state.base, state.planned, state.current
        if base is None:
            return
        subject = known or Result(plan, base, base.accuracy, state.footprint, shot=state.shot)
        since, settings, packing = state.undo_point, state.settings, form.packing

        def stream(stop: StopFlag) -> Stream[tuple[Result, Export, Sizes]]:
            result, backend = subject, session.backend
            if known is None:
                pruned = yield from backend.prune(base, plan, settings, stop)
                result = replace(subject, accuracy=pruned.accuracy, dead=pruned.dead)
            return result, *(yield from backend.export(result, path, packing, settings, stop))

        def finish(outcome: tuple[Result, Export, Sizes]) -> None:
            result, export, sizes = outcome
            written = result.with_new_export(export, sizes)
            if known is None:
                session.state = session.state.with_pruned(written, since)
            else:
                session.state = session.state.with_result_replaced(known, written)
            session.activity = job_outcomes.exported(export, result, session.warnings)

        session.start_job(f"exporting {path.name}", stream, finish, self._follow, plot="files")

    def _follow(self, event: Event) -> None:
        """Reset the progress after each number of levels, whose result is a notice."""
        activity = self.session.activity
        if isinstance(event, Notice) and isinstance(activity, JobProgress):
            self.session.activity = replace(activity, batch=None, epoch=None)


def net_name(state: State) -> str:
    """The name of the net on the screen."""
    if state.net is not None:
        return f"the {state.stage} net"
    if not state.untouched:
        return "the pruned net"
    return "the base" if state.adopted else "the dense net"


def file_name(state: State, suffix: str) -> str:
    """The default name of an exported file."""
    ratio = state.footprint.ratio
    light = f"-{ratio:.4g}x" if isfinite(ratio) else ""
    return f"{state.settings.short_name}{light}{suffix}"
