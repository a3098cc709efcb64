"""The layer list: folding, filter and the selected row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tui.state.layer_rows import KIND_PREFIX, Row, groups_of, matching_rows, visible_rows

if TYPE_CHECKING:
    from core.nets.layers import Layer

MAX_UNFOLDED = 24
"""Nets with more layers open with their groups folded."""

NOTHING = Row(())
"""The selected row of an empty list."""


@dataclass(frozen=True)
class ListedLayers:
    """The listed layers of a net; a view that undo does not affect.

    Attributes:
        chosen: index of the layer shown in plots; keys act on its row.
        group: the selected heading; empty if a layer is selected.
        folded: the folded headings.
        filter: the search text; empty if everything is listed.
    """

    layers: tuple[Layer, ...] = ()
    chosen: int = 0
    group: str = ""
    folded: frozenset[str] = field(default_factory=frozenset)
    filter: str = ""

    @classmethod
    def of(cls, layers: tuple[Layer, ...]) -> ListedLayers:
        """The layers of a newly opened net."""
        listing = cls(layers)
        return listing.fold_all() if len(layers) > MAX_UNFOLDED else listing

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The layers' names."""
        return tuple(layer.name for layer in self.layers)

    @cached_property
    def groups(self) -> tuple[Row, ...]:
        """The headings by module, folded or not."""
        return groups_of(self.names)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows from top to bottom; none if nothing matches the filter."""
        if self.filter:
            return matching_rows(self.layers, self.filter)
        return visible_rows(self.groups, len(self.layers), self.folded)

    @cached_property
    def at(self) -> int:
        """The selected row: the heading, the layer, or the heading that hides it."""
        below = -1
        for place, row in enumerate(self.rows):
            if self.group and row.group == self.group:
                return place
            if self.chosen in row.layers:
                if not row.group and not self.group:
                    return place
                below = place
        return max(below, 0)

    @property
    def row(self) -> Row:
        """The selected row."""
        return self.rows[self.at] if self.rows else NOTHING

    @property
    def listed(self) -> tuple[int, ...]:
        """The layers that match the filter, folded or not."""
        if not self.filter:
            return tuple(range(len(self.layers)))
        return self.rows[0].layers if self.rows else ()

    def choose(self, place: int) -> ListedLayers:
        """With another row selected; stops at either end."""
        if not self.rows:
            return self
        row = self.rows[min(max(place, 0), len(self.rows) - 1)]
        chosen = self.chosen if self.chosen in row.layers else row.layers[0]
        return replace(self, chosen=chosen, group=row.group)

    def fold(self) -> ListedLayers:
        """With the innermost group of the selected row folded or unfolded."""
        row = self.row
        around = [g.group for g in self.groups if set(row.layers) <= set(g.layers)]
        if self.filter or not around:
            return self
        return replace(self, group=around[-1], folded=self.folded ^ {around[-1]})._settled()

    def fold_all(self) -> ListedLayers:
        """With all groups folded or, if they are, unfolded."""
        names = frozenset(group.group for group in self.groups)
        if self.filter or not names:
            return self
        return replace(self, folded=frozenset() if names <= self.folded else names)._settled()

    def with_filter(self, text: str) -> ListedLayers:
        """With only the layers that match a text; all for an empty text."""
        text = text.strip()
        return self if text == self.filter else replace(self, filter=text, group="")._settled()

    def toggle_kind_filter(self) -> ListedLayers:
        """With only the layers of the selected one's kind, all selected; or with all again."""
        text = f"{KIND_PREFIX}{self.layers[self.chosen].kind}" if self.rows else ""
        return self.with_filter("") if self.filter == text else self.with_filter(text).choose(0)

    def _settled(self) -> ListedLayers:
        """With a listed row selected."""
        return self.choose(self.at)
