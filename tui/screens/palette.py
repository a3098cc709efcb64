"""The command palette: every action of the screen with its key, in the order of the help."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets import Input

from tui.keys.key import Key
from tui.keys.keymap import with_keys
from tui.screens.overlay import Overlay
from tui.text.lines import cut

LEAST = 0.01
"""The score of an entry whose label does not match."""

LABELS, KEYS = 20, 10
"""Cells for the labels and for the keys."""


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """An action in the palette.

    Attributes:
        why_not: why it is unavailable now; empty if it is available.
        group: its heading.
    """

    label: str
    key: str
    meaning: str
    run: Callable[[], object]
    why_not: str = ""
    group: str = ""


def entry_for(key: Key, run: Callable[[str], Awaitable[object]], why_not: str) -> PaletteEntry:
    """The entry of a key, whose action `run` runs."""
    act = partial(run, key.textual_action)
    return PaletteEntry(key.label, key.shown, key.tooltip, act, why_not, key.group)


class Entries(Provider):
    """Finds the entries of the app."""

    def _entries(self) -> Iterable[PaletteEntry]:
        entries: Iterable[PaletteEntry] = getattr(self.app, "palette_entries")(self.screen)  # noqa: B009
        return entries

    async def discover(self) -> Hits:
        """Yield all entries, each group below its heading."""
        group = ""
        for entry in self._entries():
            heading = Content.styled(f"{entry.group}\n", "$text-muted italic")
            line = self._line(entry, Content(entry.label))
            shown = Content.assemble(heading, line) if entry.group != group else line
            group = entry.group
            yield DiscoveryHit(shown, self._run(entry), text=entry.label)

    async def search(self, query: str) -> Hits:
        """Yield the entries whose label matches, then those whose meaning has the text in it."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(entry.label)
            if score or query.lower() in entry.meaning.lower():
                label = matcher.highlight(entry.label) if score else Content(entry.label)
                shown = self._line(entry, label)
                yield Hit(score or LEAST, shown, self._run(entry), text=entry.label)

    def _line(self, entry: PaletteEntry, label: Content) -> Content:
        room = max(10, self.app.size.width - LABELS - KEYS - 12)
        text = cut(with_keys(entry.why_not) or entry.meaning, room)
        style = f"{'$text-disabled' if entry.why_not else '$text-muted'} not bold"
        return Content.assemble(
            label.stylize(style) if entry.why_not else label,
            " " * max(1, LABELS - len(label.plain)),
            (f"{entry.key:<{KEYS}}", style if entry.why_not else "$text-primary bold"),
            (text, style),
        )

    def _run(self, entry: PaletteEntry) -> Callable[[], Any]:
        if not entry.why_not:
            return entry.run
        return partial(self.app.notify, entry.why_not)


class Palette(CommandPalette, Overlay[None]):
    """Textual's command palette with our entries; it closes only once."""

    HELP = """
    # All actions
    Type part of what you want to do; Enter does it. Each action has its key beside it.
    """

    def on_mount(self) -> None:
        """Keep the cursor from blinking, which would write to an idle terminal."""
        self.query_one(Input).cursor_blink = False
