"""The export form: a file, and how it stores the weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.errors import InputError
from core.fields.declaration import settings_in
from core.formats.export_formats import COMPACT, LEVELS, QUANTIZED, VALUES, Packing, check_target
from tui.state.recipe_form import FormRow
from tui.system.paths import check_folder, path_of, with_tilde
from tui.text.format import plural
from tui.text.terms import TERMS

ROWS = settings_in(Packing)

SHARING = {
    "codebook": f"codebook: {TERMS['codebook']}",
    "steps": "steps: evenly spaced values that a layer's weights share; each stores which one",
}
"""What sharing values means, by how they are chosen."""


@dataclass(frozen=True, slots=True)
class ExportForm:
    """A file and how it stores the weights, while being edited.

    Attributes:
        path: as typed; its suffix selects the format.
        values: one of `VALUES`.
        levels: number of shared values per layer; None for the fewest `max_drop` allows.
        max_drop: largest allowed drop in validation accuracy, in points.
        epochs: epochs of training the shared values.
        at: the index of the selected row; 0 is the path.
    """

    path: str
    values: str = "codebook"
    levels: int | None = None
    max_drop: float = 0.1
    epochs: int = 0
    at: int = 0

    @property
    def compact(self) -> bool:
        """Whether this is a compact file."""
        return self.path.strip().endswith(COMPACT)

    @property
    def folder(self) -> str:
        """The folder the file will be in; empty if the path names none."""
        try:
            return with_tilde(path_of(self.path.strip()).absolute().parent)
        except InputError:
            return ""

    @property
    def packing(self) -> Packing:
        """The packing the rows describe; other formats store every value."""
        if not self._shares:
            return Packing(self.values if self.compact else "float32")
        drop = self.max_drop if self.levels is None else None
        return Packing(self.values, self.levels, drop, self.epochs)

    @property
    def sharing(self) -> str:
        """What it means that weights share values; empty if they do not."""
        return SHARING[self.values] if self._shares else ""

    @property
    def problem(self) -> str:
        """Why this cannot be written; empty if it can."""
        path = self.path.strip()
        try:
            check_target(path_of(path), self.packing)
            check_folder(path)
            return ""
        except InputError as error:
            return str(error)

    def rows(self) -> tuple[FormRow, ...]:
        """Every row but the path, in order."""
        fewest, shares = self.levels is None, self._shares
        stored = VALUES[self.values] if self.compact else f"only in {COMPACT} files"
        levels = "that keep accuracy" if fewest else "values per layer"
        return (
            FormRow("values", "values", self.values, stored, False, not self.compact),
            FormRow("levels", "levels", str(self.levels or "fewest"), levels, False, not shares),
            FormRow("max_drop", "accuracy drop", plural(self.max_drop, "point"), "largest allowed",
                False, not (shares and fewest)),
            FormRow("epochs", "tuning", plural(self.epochs, "epoch"), "for shared values",
                False, not shares),
        )  # fmt: skip

    def move(self, steps: int) -> ExportForm:
        """With another row selected; stops at either end."""
        return replace(self, at=min(max(self.at + steps, 0), len(ROWS)))

    def change(self, steps: int) -> ExportForm:
        """With the selected row's value moved by `steps`."""
        if self.at == 0 or self.rows()[self.at - 1].idle:
            return self
        name = tuple(ROWS)[self.at - 1]
        if name != "levels":
            return replace(self, **{name: ROWS[name].kind.step(getattr(self, name), steps)})
        options = (None, *LEVELS)
        place = options.index(self.levels) + steps
        return replace(self, levels=options[min(max(place, 0), len(LEVELS))])

    @property
    def _shares(self) -> bool:
        """Whether the weights of a layer share values."""
        return self.compact and self.values in QUANTIZED
