"""The keys that list layers: groups folded and unfolded, layers found, all of one kind."""

from __future__ import annotations

from tui.jobs.backend import Backend
from tui.session import Session
from tui.state.layer_list import Listing
from tui.views.activity import Outcome
from tui.widgets.find_input import FindInput
from tui.widgets.layer_table import LayerTable


class Finding(Session):
    """Everything that changes what the table lists, and never the plan."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._before_finding = Listing()

    def action_fold(self) -> None:
        """Fold the group that is chosen or that the layer is in, or unfold it."""
        self._list(self.state.listing.fold())

    def action_fold_all(self) -> None:
        """Fold all groups, or unfold them."""
        self._list(self.state.listing.fold_all())

    def action_of_kind(self) -> None:
        """List all layers of the chosen one's kind, for keys to act on together; and back."""
        self._list(self.state.listing.look_for_kind())
        row = self.state.listing.row
        if self.state.listing.filter:
            text = f"keys act on all {len(row.layers)} layers of this kind that are not locked"
            self.say(Outcome(text, "* or escape lists all layers again", role="muted"))
            self.show(self.state)

    def action_find(self) -> None:
        """Open the line in which one types which layers to list."""
        self._before_finding = listing = self.state.listing
        self.explore.query_one(FindInput).ask(listing.layers, listing.filter)
        self.show(self.state)

    def action_unfind(self) -> None:
        """List all layers again."""
        self._list(self.state.listing.look_for(""))

    def on_find_input_typed(self, message: FindInput.Typed) -> None:
        """List what matches."""
        self._list(self.state.listing.look_for(message.text))

    def on_find_input_taken(self) -> None:
        """The keys are the table's again."""
        self.explore.query_one(LayerTable).focus()
        self.show(self.state)

    def on_find_input_left(self) -> None:
        """List all layers again, with the row chosen that was."""
        self.explore.query_one(LayerTable).focus()
        self._list(self._before_finding.look_for(""))

    def _list(self, listing: Listing) -> None:
        self.show(self.state.listed(listing))
