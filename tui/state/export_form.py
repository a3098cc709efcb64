"""How a file is to keep a net, row by row: what each row shows and how a key changes it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import InputError
from core.formats.export_formats import COMPACT, LEVELS, SHARED, Packing, check_target
from tui.state.recipe_form import Row, along, turned
from tui.text.format import plural
from tui.text.paths import check_folder, path_of

VALUES = {
    "codebook": "few values a layer, found by k-means",
    "steps": "few values a layer, evenly spaced",
    "float32": "every bit as it is",
    "float16": "16 bits, more of them for precision",
    "bfloat16": "16 bits, as many as float32 for range",
}
"""What the values can be kept as."""

DROPS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
MOST_EPOCHS = 500
ROWS = ("values", "levels", "drop", "tuning")
_FEWEST = "fewest"


@dataclass(frozen=True, slots=True)
class Keeping:
    """A file and how it keeps the values, while they are being chosen.

    Attributes:
        path: of the file, as it is typed; how it ends is the format.
        values: one of `VALUES`.
        levels: how many values the weights of a layer share; None for as few as `drop` allows.
        drop: points of validation accuracy that sharing may cost.
        epochs: of training the shared values.
        at: the index of the row that the keys act on; the first is the line with the path.
    """

    path: str
    values: str = "codebook"
    levels: int | None = None
    drop: float = 0.1
    epochs: int = 0
    at: int = 0

    @property
    def compact(self) -> bool:
        """It is to be a compact file."""
        return self.path.strip().endswith(COMPACT)

    @property
    def packing(self) -> Packing:
        """What the rows come to; files of other formats keep every value."""
        if not self._shares:
            return Packing(self.values if self.compact else "float32")
        drop = self.drop if self.levels is None else None
        return Packing(self.values, self.levels, drop, self.epochs)

    @property
    def problem(self) -> str:
        """Why this cannot be taken; empty where it can."""
        path = self.path.strip()
        try:
            check_target(path_of(path), self.packing)
            check_folder(path)
        except InputError as error:
            return str(error)
        return ""

    def rows(self) -> tuple[Row, ...]:
        """All of them but the path, in order."""
        fewest, shares = self.levels is None, self._shares
        kind = VALUES[self.values] if self.compact else f"all of them: only {COMPACT} keeps fewer"
        levels = "as few as the accuracy allows" if fewest else "that a layer's weights share"
        return (
            Row("values", "values", self.values, kind, False, not self.compact),
            Row("levels", "how many", str(self.levels or _FEWEST), levels, False, not shares),
            Row("drop", "costing", _points(self.drop), "of validation accuracy, at most",
                False, not (shares and fewest)),
            Row("tuning", "tuning", plural(self.epochs, "epoch"),
                "of training the shared values, where it helps", False, not shares),
        )  # fmt: skip

    def move(self, steps: int) -> Keeping:
        """With another row chosen; at either end it stays."""
        return replace(self, at=min(max(self.at + steps, 0), len(ROWS)))

    def change(self, steps: int) -> Keeping:
        """With the chosen row's value changed by so many steps."""
        if self.at == 0 or self.rows()[self.at - 1].idle:
            return self
        match ROWS[self.at - 1]:
            case "values":
                return replace(self, values=turned(tuple(VALUES), self.values, steps))
            case "levels":
                return replace(self, levels=_levels(self.levels, steps))
            case "drop":
                return replace(self, drop=along(DROPS, self.drop, steps))
            case _:
                return replace(self, epochs=min(max(self.epochs + steps, 0), MOST_EPOCHS))

    @property
    def _shares(self) -> bool:
        """The weights of a layer are to share values."""
        return self.compact and self.values in SHARED


def _points(drop: float) -> str:
    """Points of accuracy."""
    return "1 point" if drop == 1 else f"{drop:g} points"


def _levels(levels: int | None, steps: int) -> int | None:
    """The number of levels so many steps on; below the least it is left open."""
    open_or_not = (None, *LEVELS)
    place = open_or_not.index(levels) + steps
    return open_or_not[min(max(place, 0), len(LEVELS))]
