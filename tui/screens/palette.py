"""The command palette: every key's action, by name."""

from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from tui.keys.keys import KEYS, Key
from tui.screens.overlay import Overlay


class Palette(CommandPalette, Overlay[None]):
    """Textual's own, closing once."""


class KeyCommands(Provider):
    """The keys' actions, searchable by name."""

    async def discover(self) -> Hits:
        """List all actions before anything is typed."""
        for key in self._offered():
            yield DiscoveryHit(
                key.label, partial(self.app.run_action, key.textual_action), help=key.tooltip
            )

    async def search(self, query: str) -> Hits:
        """List the actions that match."""
        matcher = self.matcher(query)
        for key in self._offered():
            text = f"{key.label} ({key.shown})"
            if (score := matcher.match(text)) > 0:
                yield Hit(
                    score,
                    matcher.highlight(text),
                    partial(self.app.run_action, key.textual_action),
                    help=key.tooltip,
                )

    def _offered(self) -> list[Key]:
        """The actions that do not depend on which key was pressed."""
        return [key for key in KEYS if "{key}" not in key.action]
