"""The key `e`: the net that is on the screen, written to a file."""

from __future__ import annotations

import os
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from core.events import Event, Notice, StopFlag, Stream
from core.experiments.exports import Export
from core.formats.export_formats import COMPACT
from core.nets.footprint import Sizes
from core.nets.zoo import short_name
from tui.features.training import Training
from tui.jobs.job import Job
from tui.screens.dialogs import Question
from tui.screens.export import ExportScreen
from tui.screens.path import path_of
from tui.state.export_form import ExportForm
from tui.state.results import Result
from tui.state.state import State
from tui.views import outcomes
from tui.views.activity import Working

if TYPE_CHECKING:
    from tui.jobs.backend import Backend


class Exporting(Training):
    """Writing a net, and reading it back."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._form = ExportForm("")
        self._export: Job | None = None

    def action_export(self) -> None:
        """Ask for a file and how it keeps the values."""
        state, before = self.state, self._form
        if state.base is None:
            return
        name = file_name(state, Path(before.path).suffix or COMPACT)
        path = str(Path(before.path).with_name(name)) if before.path else name
        screen = ExportScreen(what(state), replace(before, path=path, at=0))
        self.push_screen(screen, self._take_export)

    def _take_export(self, form: ExportForm | None) -> None:
        if form is None:
            return
        self._form, path = form, path_of(form.path.strip())
        if not os.path.lexists(path):
            self._write_net(form, path)
            return
        question = Question(f"{form.path} is there already. Replace it?", "replace")
        self.push_screen(question, lambda yes: self._write_net(form, path) if yes else None)

    def _write_net(self, form: ExportForm, path: Path) -> None:
        """Write the fine-tuned net where it is of this plan, else the plan applied to the base."""
        base, plan, known = self.state.base, self.state.planned, self.state.current
        if base is None:
            return
        subject = known or Result(plan, base, base.accuracy, self.state.footprint)
        since, settings, packing = self.state.moment, self.state.settings, form.packing

        def stream(stop: StopFlag) -> Stream[tuple[Result, Export, Sizes]]:
            result = subject
            if known is None:
                pruned = yield from self.backend.prune(base, plan, stop)
                result = replace(subject, accuracy=pruned.accuracy, dead=pruned.dead)
            return result, *(yield from self.backend.export(result, path, packing, settings, stop))

        def finish(outcome: tuple[Result, Export, Sizes]) -> None:
            result, export, sizes = outcome
            written, state = result.written(export, sizes), self.state
            if known is None:
                self.state = state.with_pruned(written, since)
            else:
                self.state = state.renewed(known, written)
            warnings = self.doing.warnings if isinstance(self.doing, Working) else ()
            self.doing = outcomes.exported(export, result, warnings)

        self._subject = None
        self.bring_into_sight("files")
        self.start_job(f"exporting {path.name}", stream, finish)
        self._export = self.job

    def follow(self, event: Event) -> None:
        """Keep the training of shared values out of the curve of the fine-tuning."""
        if self.job is None or self.job is not self._export:
            super().follow(event)
        elif isinstance(event, Notice) and isinstance(self.doing, Working):
            # It tells what came of a number of values; the next one begins anew.
            self.doing = replace(self.doing, batch=None, epoch=None)


def what(state: State) -> str:
    """The net that is on the screen."""
    if state.is_current(state.finetuned):
        return "the fine-tuned net"
    if not state.untouched:
        return "the pruned net"
    return "the base" if state.adopted else "the dense net"


def file_name(state: State, suffix: str) -> str:
    """What a file of the net is called that nobody has named."""
    ratio = state.footprint.ratio
    light = f"-{ratio:.4g}x" if isfinite(ratio) else ""
    return f"{short_name(state.settings.model)}{light}{suffix}"
