"""The listed runs: sort order, selection, mark and comparison, and every change to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core.experiments.run_record import LayerRecord
from core.pruning.curves import SPLITS
from tui.state.run_rows import RunRow, layer_pairs, sort_rows, why_incomparable

ASCENDING = frozenset({"kind", "nonzero", "epochs", "recipe", "seed", "note"})
"""Columns sorted in ascending order by default."""


@dataclass(frozen=True, slots=True)
class RunList:
    """The listed runs, and what the history shows of them.

    Attributes:
        rows: the sorted runs; None until they have been read.
        read_so_far: how many of how many runs have been read, before all have been.
        at: the id of the selected run; empty without runs.
        marked: the id of the run marked for comparison; empty if none is.
        split: the split of the plot and of the column `vs. dense`.
        view: the index of the comparison's view, if there is no room for all.
        layer: the index of the compared layer.
    """

    rows: tuple[RunRow, ...] | None = None
    column: str = "run"
    descending: bool = True
    at: str = ""
    marked: str = ""
    split: str = SPLITS[0]
    view: int = 0
    layer: int = 0
    read_so_far: tuple[int, int] = (0, 0)

    @property
    def index(self) -> int:
        """The row of the selected run."""
        return next((i for i, row in enumerate(self.rows or ()) if row.id == self.at), 0)

    @property
    def selected(self) -> RunRow | None:
        """The selected run; keys act on it."""
        return self.rows[self.index] if self.rows else None

    @property
    def compared(self) -> RunRow | None:
        """The run compared with the selected one; None unless another run is marked."""
        one = self.selected
        if one is None or one.id == self.marked or why_incomparable(one):
            return None
        return next((row for row in self.rows or () if row.id == self.marked), None)

    @property
    def layers(self) -> tuple[tuple[LayerRecord, LayerRecord], ...]:
        """The layers of the two compared runs."""
        return layer_pairs(self.selected, self.compared) if self.selected and self.compared else ()

    @property
    def layer_at(self) -> int:
        """The index of the selected layer among the compared ones."""
        return max(0, min(self.layer, len(self.layers) - 1))

    def read(self, rows: Iterable[RunRow]) -> RunList:
        """With the runs now on disk; keeps the selection or, if it is gone, its row."""
        index, run_list = self.index, self._sorted(rows)
        ids = [row.id for row in run_list.rows or ()]
        at = self.at if self.at in ids else (ids[min(index, len(ids) - 1)] if ids else "")
        return replace(run_list, at=at, marked=self.marked if self.marked in ids else "")

    def move(self, steps: int) -> RunList:
        """With the selection moved down; stops at either end."""
        return self.to(self.index + steps)

    def to(self, index: int) -> RunList:
        """With the run at a row selected; clamped to the table."""
        if not self.rows:
            return self
        return replace(self, at=self.rows[min(max(index, 0), len(self.rows) - 1)].id)

    def sort_by_next(self, columns: Sequence[str]) -> RunList:
        """Sorted by the next visible column."""
        after = columns.index(self.column) + 1 if self.column in columns else 0
        column = columns[after % len(columns)]
        return replace(self, column=column, descending=column not in ASCENDING)._sorted(self.rows)

    def reverse(self) -> RunList:
        """With the sort order reversed."""
        return replace(self, descending=not self.descending)._sorted(self.rows)

    def mark(self) -> RunList:
        """With the selected run marked for comparison, or the mark removed."""
        return replace(self, marked="" if self.marked else self.at, view=0)

    def next_view(self) -> RunList:
        """With the next view of a comparison, or the plot's other split."""
        if self.compared is not None:
            return replace(self, view=self.view + 1)
        split = SPLITS[(SPLITS.index(self.split) + 1) % len(SPLITS)]
        return replace(self, split=split)._sorted(self.rows)

    def choose_layer(self, steps: int) -> RunList:
        """With another layer selected; stops at either end."""
        return replace(self, layer=max(0, min(self.layer_at + steps, len(self.layers) - 1)))

    def _sorted(self, rows: Iterable[RunRow] | None) -> RunList:
        if rows is None:
            return self
        return replace(self, rows=sort_rows(rows, self.column, self.descending, self.split))
