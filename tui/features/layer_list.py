"""The layer list: keys that fold groups and find layers by name, kind or shape."""

from tui.features.availability import available
from tui.session import Session
from tui.state.layer_list import ListedLayers
from tui.views.activity import Outcome
from tui.widgets.find_input import FindInput
from tui.widgets.layer_table import LayerTable


def _filtered(session: Session) -> bool:
    return bool(session.state.listing.filter)


def _grouped(session: Session) -> bool:
    return bool(session.state.listing.groups) and not _filtered(session)


class LayerList:
    """What the table lists, which never changes the plan."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._before_finding = ListedLayers()

    @property
    def _listing(self) -> ListedLayers:
        return self.session.state.listing

    @available(_grouped)
    def fold(self) -> None:
        """Fold the group that is chosen or has the chosen layer, or unfold it."""
        self._list(self._listing.fold())

    @available(_grouped)
    def fold_all(self) -> None:
        """Fold or unfold all groups."""
        self._list(self._listing.fold_all())

    @available()
    def of_kind(self) -> None:
        """List all layers of the selected one's kind, to change them together; or go back."""
        session = self.session
        self._list(self._listing.toggle_kind_filter())
        if self._listing.filter:
            layers = len(self._listing.row.layers)
            text = f"keys act on all {layers} layers of this kind that are not locked"
            session.say(Outcome(text, "* or escape to list all layers again", role="muted"))
            session.show(session.state)

    @available()
    def find(self) -> None:
        """Open the input line for finding layers."""
        self._before_finding = listing = self._listing
        self.session.explore.query_one(FindInput).ask(listing.layers, listing.filter)
        self.session.show(self.session.state)

    @available(_filtered)
    def list_all(self) -> None:
        """List all layers again."""
        self._list(self._listing.with_filter(""))

    def on_typed(self, message: FindInput.Typed) -> None:
        """List what matches."""
        self._list(self._listing.with_filter(message.text))

    def on_left(self) -> None:
        """List all layers again, with the previous row selected."""
        self.session.explore.query_one(LayerTable).focus()
        self._list(self._before_finding.with_filter(""))

    def _list(self, listing: ListedLayers) -> None:
        self.session.show(self.session.state.listed(listing))
