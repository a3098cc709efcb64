"""Confusions between classes, before and after pruning."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tui.plots.drawing.numbers import amounts
from tui.text.lines import clean, shortened

# The most cells of a class's name.
_LONGEST = 12
# The least loss of recall, in points, that gets a color.
_MUCH = 1.0
_Counts = NDArray[np.float64]


class Confusion(NamedTuple):
    """One class predicted as another, with counts before and after pruning."""

    true: str
    predicted: str
    before: float
    after: float


class Confusions(NamedTuple):
    """Images of each class (rows) by prediction (columns).

    Attributes:
        before: The dense net's counts [C, C].
        after: The pruned net's; the same as `before` if only one net is known.
        alone: The only known net, `dense` or `pruned`; empty if both are known.
    """

    classes: tuple[str, ...]
    before: _Counts
    after: _Counts
    alone: str

    @classmethod
    def of(
        cls, classes: Sequence[str], dense: ArrayLike | None, pruned: ArrayLike | None
    ) -> Self | None:
        """Return what can be drawn; None if nothing can."""
        before, after = _square(dense, len(classes)), _square(pruned, len(classes))
        names = tuple(shortened([*map(clean, classes)], _LONGEST))
        if before is None or after is None:
            known, alone = (after, "pruned") if before is None else (before, "dense")
            return None if known is None else cls(names, known, known, alone)
        return cls(names, before, after, "")

    def named(self, width: int) -> Self:
        """Return the same with the names of the classes in at most so many cells."""
        return self._replace(classes=tuple(shortened(self.classes, width)))

    @property
    def compared(self) -> bool:
        """Whether both nets' counts are known."""
        return not self.alone

    @property
    def wrong(self) -> tuple[float, float]:
        """Number of images each net gets wrong."""
        return _wrong(self.before), _wrong(self.after)

    @property
    def recalls(self) -> tuple[_Counts, _Counts]:
        """Each net's recall [C] in percent; NaN for classes without images."""
        return _recall(self.before), _recall(self.after)

    def lost(self) -> tuple[int, ...]:
        """Return the classes whose recall pruning reduced the most."""
        before, after = self.recalls
        lost = np.nan_to_num(before - after)
        return tuple(np.flatnonzero(lost >= max(_MUCH, lost.max() / 2)).tolist())

    def worst(self, most: int) -> list[Confusion]:
        """Return the confusions pruning increased, worst first, or the most frequent ones."""
        growth = self.after - self.before if self.compared else self.after.copy()
        np.fill_diagonal(growth, 0)
        flat, after = growth.ravel(), self.after.ravel()
        # Of a thousand classes there are a million pairs: only the first ones are sorted.
        least = np.partition(flat, -most)[-most] if 0 < most < flat.size else 0.0
        among = np.flatnonzero((flat >= least) & (flat > 0))
        # Ties go to the more frequent confusion.
        order = among[np.lexsort((-after[among], -flat[among]))][:most].tolist()
        pairs = [divmod(index, len(self.classes)) for index in order if growth.flat[index] > 0]
        return [
            Confusion(
                self.classes[true],
                self.classes[predicted],
                float(self.before[true, predicted]),
                float(self.after[true, predicted]),
            )
            for true, predicted in pairs
        ]


def _square(counts: ArrayLike | None, classes: int) -> _Counts | None:
    array = None if counts is None else np.asarray(counts, dtype=float)
    if array is None or not classes or array.shape != (classes, classes):
        return None
    return amounts(array).reshape(classes, classes)


def _recall(counts: _Counts) -> _Counts:
    totals = counts.sum(axis=1)
    shares: _Counts = np.full(len(counts), np.nan)
    np.divide(100 * counts.diagonal(), totals, out=shares, where=totals > 0)
    return shares


def _wrong(counts: _Counts) -> float:
    return float(counts.sum() - counts.trace())
