"""Many pictures drawn in one run of an app, and compared with their files."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from syrupy.assertion import SnapshotAssertion
from textual.app import App
from textual.pilot import Pilot

from tests.tui.scripted_nets import PATIENCE


def running(
    app: App[Any], size: tuple[int, int] = (80, 24)
) -> AbstractAsyncContextManager[Pilot[Any]]:
    """Run an app with all that it shows in a terminal of this size."""
    return app.run_test(size=size, tooltips=True, notifications=True)


async def drained(app: App[Any]) -> None:
    """Wait until every widget has handled its messages, also those behind a dialog.

    A pilot waits for the widgets of the open screen alone, and for the others only as long as the
    process computes, which it cannot while another one has the processor.
    """
    for screen in app.screen_stack:
        for widget in (screen, *screen.walk_children()):
            handled = asyncio.Event()
            if widget.call_later(handled.set):
                await asyncio.wait_for(handled.wait(), PATIENCE)


@dataclass
class Pictures:
    """The pictures of a test; its name and a picture's name the file, as parameters do.

    Attributes:
        files: the files, which `--snapshot-update` writes.
        names: the names of the pictures compared.
        others: of those, the ones that differ from their files.
    """

    files: SnapshotAssertion
    names: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    async def compare(self, pilot: Pilot[None], name: str) -> None:
        """Compare what the app shows with its file, once it is drawn."""
        app = pilot.app
        await pilot.wait_for_scheduled_animations()
        await drained(app)
        await pilot.pause()
        self.names.append(name)
        title = app.TITLE or type(app).__name__  # without what the app adds while it runs
        if app.export_screenshot(title=title, simplify=True) != self.files(name=name):
            self.others.append(name)
