"""The cost table: weights and FLOPs of each layer, and how many remain."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.heading import title_only
from tui.plots.drawing.numbers import count
from tui.plots.drawing.table import column_widths, table_row
from tui.plots.view import PLAIN, View
from tui.text.format import measured_share
from tui.text.lines import Line, Lines, Span, blank, clean, cut_name, fits, note

LABEL = "Cost"
_NAME = 16
_UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class CostsRow:
    """A layer, or the total; fractions are in percent, None if unknown.

    Attributes:
        weights: Without the bias; None where there are none to prune.
        kept: Remaining weights.
        flops: FLOPs per image, before pruning.
        act: Nonzero values after the layer's ReLU.
        within: Half the width of the 95 % interval of `act`, if it has one.
        flops_kept: Remaining FLOPs.
        paper: The paper's `act`, `kept` and `flops_kept`, as printed.
    """

    name: str
    weights: int | None
    kept: float | None
    flops: float | None = None
    act: float | None = None
    flops_kept: float | None = None
    paper: tuple[str, str, str] | None = None
    within: float | None = None


@dataclass(frozen=True, slots=True)
class CostsData:
    """The rows of the layers, perhaps one for what no pruning saves, and their total.

    Attributes:
        caption: Which images were measured.
        left_out: What the total leaves out.
    """

    rows: tuple[CostsRow, ...]
    total: CostsRow
    chosen: int
    caption: str = ""
    left_out: str = ""


def draw(data: CostsData, width: int, height: int, hint: str = "", view: View = PLAIN) -> Lines:
    """Draw the columns that fit, the layers around the selected one, and the totals."""
    if not fits(width, height):
        return blank(width, height)
    if not data.rows:
        return note(hint or "no layers", width, height)
    head = title_only(title(data), width, view)
    layers, rows = len(data.rows), [_cells(row) for row in (*data.rows, data.total)]
    names = [clean(row.name) for row in (*data.rows, data.total)]
    first_head = "layer"
    if head and layers == height - 2:  # the heads of the columns tell which plot it is
        head, first_head = (), LABEL
    room = max(height - len(head) - 2, 1)
    chosen = min(max(data.chosen if view.row is None else view.row, 0), layers - 1)
    first = max(0, min(chosen - room // 2, layers - room))
    heads = _HEADS if data.total.paper else _HEADS[:5]
    longest = min(max(map(len, names)), _NAME)
    widths = column_widths(zip(heads, *rows, strict=False), width - longest)
    if len(widths) < len(_HEADS):
        widths = widths[:5]  # the paper's columns go together

    def line(name: str, cells: Sequence[str], role: str) -> Line:
        return table_row(cut_name(name, longest).ljust(longest), cells, widths, role, width)

    body = [line(first_head, heads, "label")]
    for place in range(first, min(first + room, layers)):
        body.append(line(names[place], rows[place], "chosen" if place == chosen else "plain"))
    body.append(line(names[-1], rows[-1], "total"))
    lines = (*head, *body)[:height]
    return (*lines, *blank(width, height - len(lines)))


def title(data: CostsData) -> Line:
    """Return which images were measured, and what the total leaves out."""
    caption = [Span(f" · {clean(data.caption)}", "label")] if data.caption else []
    left_out = [Span(clean(data.left_out), "label")] if data.left_out else []
    return Span(f"{LABEL} per layer", "title"), *caption, *left_out


def table(data: CostsData) -> DataTable:
    """Return the costs of each layer, and the total."""
    rows = (*data.rows, data.total) if data.rows else ()
    columns = (
        Column("layer", [row.name for row in rows]),
        Column("weights", [row.weights for row in rows]),
        Column("weights kept", [row.kept for row in rows], "%", 2, "kept"),
        Column("FLOPs", [row.flops for row in rows]),
        Column("FLOPs kept", [row.flops_kept for row in rows], "%", 2, "kept"),
        Column("activations not zero", [row.act for row in rows], "%", 2),
        Column("±", [row.within for row in rows], "points", 2),
    )
    return DataTable(columns, across=1)


_HEADS = ("weights", "kept %", "FLOP %", "act %", "FLOPs", "paper: kept", "FLOP", "act")


def _cells(row: CostsRow) -> tuple[str, ...]:
    act, kept, flops_kept = row.paper or ("", "", "")
    return (
        _UNKNOWN if row.weights is None else count(row.weights),
        measured_share(row.kept, None),
        measured_share(row.flops_kept, None),
        measured_share(row.act, row.within),
        _UNKNOWN if row.flops is None else count(row.flops),
        kept,
        flops_kept,
        act,
    )
