"""How a plot is shown: with or without its title, with a cursor, on which scale.

Loads nothing, so that the registry of plots can name it before NumPy is there.
"""

from typing import NamedTuple


class View(NamedTuple):
    """How a plot is shown.

    Attributes:
        header: whether the plot draws its own title; not where a frame or a rule shows it.
        row: the row of the plot's data table under the cursor; None without a cursor.
        column: the column of the table that the cursor reads.
        other_scale: whether amounts are on the scale that the plot does not choose itself:
            logarithmic instead of linear, or the other way round.
    """

    header: bool = True
    row: int | None = None
    column: int = 1
    other_scale: bool = False


PLAIN = View()
