"""The cost table: weights and FLOPs of each layer, and what remains of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.plots.drawing.numbers import count
from tui.text.lines import Line, Lines, Span, blank, clean, cut, cut_path, fits, header, note

_GAP = 2
_NAME = 16
_UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class CostsRow:
    """A layer, or the total; fractions are in percent, None if not known yet.

    Attributes:
        name: Of the layer.
        weights: Without the bias.
        kept: Remaining weights.
        flops: FLOPs per image, before pruning.
        act: Nonzero values after the layer's ReLU.
        flops_kept: Remaining FLOPs.
        paper: The paper's `act`, `kept` and `flops_kept`, as printed.
    """

    name: str
    weights: int
    kept: float
    flops: float | None = None
    act: float | None = None
    flops_kept: float | None = None
    paper: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class CostsData:
    """What the table shows.

    Attributes:
        rows: The layers.
        total: All of them.
        chosen: Which layer is chosen.
        caption: The images it was measured on.
    """

    rows: tuple[CostsRow, ...]
    total: CostsRow
    chosen: int
    caption: str = ""


def draw(data: CostsData, width: int, height: int) -> Lines:
    """Draw the columns that fit, the layers around the selected one, and the totals."""
    if not fits(width, height):
        return blank(width, height)
    if not data.rows:
        return note("no layers", width, height)
    columns = _columns(data, width)
    room = max(height - 3, 1)
    chosen = min(max(data.chosen, 0), len(data.rows) - 1)
    first = max(0, min(chosen - room // 2, len(data.rows) - room))
    body: list[Line] = [_line("layer", columns.names, columns, "label", width)]
    for place, row in list(enumerate(data.rows))[first : first + room]:
        role = "chosen" if place == chosen else "plain"
        body.append(_line(row.name, columns.cells(row), columns, role, width))
    body.append(_line(data.total.name, columns.cells(data.total), columns, "all", width))
    lines = header([Span("cost per layer", "title")], _legend(data), width, 1) + tuple(body)
    return (*lines[:height], *blank(width, height - len(lines)))


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns that there is room for.

    Attributes:
        names: Their heads.
        widths: In cells.
        layer: Cells of the layers' names.
    """

    names: tuple[str, ...]
    widths: tuple[int, ...]
    layer: int

    def cells(self, row: CostsRow) -> tuple[str, ...]:
        """What of a row is shown."""
        return _texts(row)[: len(self.names)]


_HEADS = ("weights", "weights %", "FLOP %", "act %", "FLOPs", "paper: weights", "FLOP", "act")


def _columns(data: CostsData, width: int) -> _Columns:
    """Fit the columns: those on the right give way first, the paper's as one."""
    layer = min(max(len(clean(row.name)) for row in (*data.rows, data.total)), _NAME)
    heads = _HEADS if data.total.paper else _HEADS[:5]
    rows = [_texts(row) for row in (*data.rows, data.total)]
    widths = [max(len(head), *(len(row[at]) for row in rows)) for at, head in enumerate(heads)]
    shown = len(heads)
    while shown > 1 and layer + sum(_GAP + cells for cells in widths[:shown]) > width:
        shown = 5 if shown > 5 else shown - 1
    return _Columns(tuple(heads[:shown]), tuple(widths[:shown]), layer)


def _texts(row: CostsRow) -> tuple[str, ...]:
    act, kept, flops_kept = row.paper or ("", "", "")
    return (
        count(row.weights),
        _percent(row.kept),
        _percent(row.flops_kept),
        _percent(row.act),
        _UNKNOWN if row.flops is None else count(row.flops),
        kept,
        flops_kept,
        act,
    )


def _percent(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}"


def _line(name: str, cells: Sequence[str], columns: _Columns, role: str, width: int) -> Line:
    text = cut_path(clean(name), columns.layer).ljust(columns.layer)
    for cell, cells_wide in zip(cells, columns.widths, strict=True):
        text += " " * _GAP + cell.rjust(cells_wide)
    return (Span(cut(text, width).ljust(width), role),)


def _legend(data: CostsData) -> list[Span]:
    return [Span(clean(data.caption), "label")]
