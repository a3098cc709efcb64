"""The layer list: keys that fold groups and find layers by name, kind or shape."""

from dataclasses import replace

from tui.features.feature import Feature, available
from tui.session import Session
from tui.state.layer_list import ListedLayers
from tui.text.format import plural
from tui.views.activity import Outcome
from tui.widgets.inputs.find_input import FindInput


def _filtered(session: Session) -> bool:
    return bool(session.state.listing.filter)


def _grouped(session: Session) -> bool:
    return bool(session.state.listing.groups) and not _filtered(session)


class LayerList(Feature):
    """Choosing which layers the table lists; never changes the plan."""

    @property
    def _listing(self) -> ListedLayers:
        return self.state.listing

    @available(_grouped, why="this net has no groups to fold")
    def fold(self) -> None:
        """Fold or unfold the selected group, or the selected layer's."""
        self._list(self._listing.fold())

    @available(_grouped, why="this net has no groups to fold")
    def fold_all(self) -> None:
        """Fold or unfold all groups."""
        self._list(self._listing.fold_all())

    @available()
    def list_same_kind(self) -> None:
        """List only layers of the selected layer's kind or, if so already, all layers."""
        listing = self._listing.toggle_kind_filter()
        if listing.filter:
            self._list_matches(listing, "of this kind", "{same-kind} or {all-layers}")
        else:
            self._list(listing)

    @available()
    def find(self) -> None:
        """Open the input line for finding layers; Enter selects what is found, Esc nothing."""
        before = self._listing

        def filter_by(text: str) -> None:
            self._list(self._listing.with_filter(text))

        def finish(text: str | None) -> None:
            self.session.focus_table()
            found = self._listing.with_filter(text or "")  # keys may outrun `filter_by`
            if found.filter:
                self._list_matches(found.choose(0), "found", "{all-layers}")
            else:
                self._list(found if text is not None else before.with_filter(""))

        line = self.session.main_screen.query_one(FindInput)
        line.ask(before.layers, before.filter, filter_by, finish)
        self.session.show(self.state)

    @available(_filtered)
    def list_all(self) -> None:
        """List all layers again."""
        self._list(self._listing.with_filter(""))

    def _list_matches(self, listing: ListedLayers, which: str, keys: str) -> None:
        """List the matches, whose heading is selected, and say what keys do there."""
        layers = plural(len(listing.row.layers), "layer")
        text = f"keys act on the {layers} {which}, except locked ones"
        outcome = Outcome(text, f"{keys} to list all layers again", role="muted")
        self.session.show(replace(self.state, listing=listing), outcome)

    def _list(self, listing: ListedLayers) -> None:
        self.session.show(replace(self.state, listing=listing))
