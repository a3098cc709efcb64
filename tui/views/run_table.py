"""The table of runs; narrow screens show fewer columns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.experiments.runs import INTERRUPTED, RUNNING, STOPPED, UNREADABLE
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow, fronts
from tui.text.format import are_few, count, difference, difference_from, percent, score
from tui.text.lines import Line, Lines, Span, cut

NONE = "–"
CHOSEN, MARKED, HERE = "▶", "◎", "⌂"
ON_FRONT, OFF_FRONT, STOPPED_EARLY, DENSE = "◆", "○", "×", "■"
_GUTTER, _SIGN = 2, 2
_NOTE, _WIDE_NOTE = 14, 20
_WIDE_TEST = 9
_GAP = "  "
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _kind(row: RunRow) -> str:
    """The kind of a run, in a word that fits the column."""
    return "recon." if row.kind == "reconstruct" else row.kind or NONE


def gain_of(row: RunRow, split: str) -> str:
    """Its accuracy minus the dense net's, with its sign; a dash if unknown."""
    if row.accuracy is None or row.dense is None or row.gain(split) is None:
        return NONE
    return difference_from(row.accuracy, row.dense, split)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        name: as in `SORT_KEYS`.
        rank: higher ones are dropped first.
        left: whether its texts are left-aligned.
    """

    name: str
    width: int
    rank: int
    text: Callable[[RunRow, str], str]
    left: bool = False

    @property
    def cells(self) -> int:
        """Its width with the gap before it."""
        return self.width + (2 if self.left else 1)

    def cell(self, text: str) -> str:
        """A text, cut and aligned."""
        text = cut(text, self.width)
        return _GAP + text.ljust(self.width) if self.left else text.rjust(self.cells)


def _optional(write: Callable[[Any], str]) -> Callable[[float | None], str]:
    return lambda value: NONE if value is None else write(value)


whole, points, signed = _optional(count), _optional(percent), _optional(difference)
"""A count, a percentage and a difference of percentages; a dash if unknown."""


COLUMNS = (
    Column("when", 12, 3, lambda row, _: when(row.created), left=True),
    Column("kind", 9, 1, lambda row, _: _kind(row), left=True),
    Column("ratio", 8, 0, lambda row, _: ratio(row.ratio)),
    Column("nonzero", 10, 4, lambda row, _: whole(row.record.nonzero)),
    Column("validation", 11, 0, lambda row, _: score_of(row, "validation")),
    Column("test", 6, 0, lambda row, _: score_of(row, "test")),
    Column("vs. dense", 10, 2, lambda row, split: gain_of(row, split)),
    Column("epochs", 7, 5, lambda row, _: epochs(row)),
    Column("recipe", 18, 6, lambda row, _: row.recipe_and_method or NONE, left=True),
    Column("seed", 6, 7, lambda row, _: seed(row) or NONE),
)
"""All but the first, `run`, and the last, `note`, which are always visible."""


def score_of(row: RunRow, split: str) -> str:
    """A run's accuracy on a split in percent, with its interval if there are few images."""
    return NONE if row.accuracy is None else score(row.accuracy, split)


def ratio(value: float | None) -> str:
    """A compression ratio with a sensible number of decimals."""
    if value is None:
        return NONE
    return f"{value:,.{2 if value < 100 else 1 if value < 1000 else 0}f}x"


def seed(row: RunRow) -> str:
    """The seed; empty if it is not known."""
    return "" if row.record.seed is None else str(row.record.seed)


def epochs(row: RunRow) -> str:
    """The completed epochs, with the planned ones if they differ."""
    done = len(row.epochs)
    if row.run.finished or row.planned is None:
        return str(done) if row.epochs else NONE
    return f"{done}/{row.planned}"


def when(moment: datetime | None, now: datetime | None = None) -> str:
    """A local time, as short as possible."""
    if moment is None:
        return NONE
    today = (now or _now()).astimezone(moment.tzinfo)
    if moment.date() == today.date():
        return f"today {moment:%H:%M}"
    if moment.year == today.year:
        return f"{_MONTHS[moment.month - 1]} {moment.day:2} {moment:%H:%M}"
    return f"{moment:%Y-%m-%d}"


def _now() -> datetime:
    return datetime.now().astimezone()


def arrow(run_list: RunList) -> str:
    """The arrow of the sort order."""
    return "▼" if run_list.descending else "▲"


def columns(run_list: RunList, width: int) -> tuple[Column, ...]:
    """The columns that fit; the note takes the rest."""
    room = width - _first(run_list) - len(_GAP) - _NOTE
    known, visible = _known_columns(run_list), []
    for column in sorted(known, key=lambda column: column.rank):
        room -= column.cells
        if room < 0 or (column.rank > 1 and room < _WIDE_NOTE - _NOTE):
            break
        visible.append(column)
    return tuple(column for column in known if column in visible)


def _known_columns(run_list: RunList) -> tuple[Column, ...]:
    """All columns but two; with few images, test accuracies need room for their intervals."""
    images = (row.accuracy.images[1] for row in run_list.rows or () if row.accuracy)
    if not any(map(are_few, images)):
        return COLUMNS
    return tuple(
        replace(column, width=_WIDE_TEST) if column.name == "test" else column for column in COLUMNS
    )


def sortable(run_list: RunList, width: int) -> tuple[str, ...]:
    """The names of the visible columns, from left to right."""
    return ("run", *(column.name for column in columns(run_list, width)), "note")


def _first(run_list: RunList) -> int:
    """The width up to the end of the sign behind a run's id."""
    return _GUTTER + max(4, *(len(row.id) for row in run_list.rows or ()), 0) + _SIGN


def _reading(run_list: RunList) -> str:
    done, number = run_list.read_so_far
    return f"  reading the runs: {done:,} of {number:,}" if number else "  reading the runs…"


def table(run_list: RunList, current: str | None, width: int, height: int, top: int = 0) -> Lines:
    """The table in `height` lines: a header, then the runs from the row `top` on."""
    if not run_list.rows:
        return ((Span(_reading(run_list), "muted"),),) if run_list.rows is None else ()
    visible, best = columns(run_list, width), fronts(run_list.rows, run_list.split)
    rows = run_list.rows[top : top + max(1, height - 1)]
    return (
        _header(run_list, visible, width),
        *(_row(run_list, row, visible, best, current, width) for row in rows),
    )


def scrolled(run_list: RunList, height: int, top: int) -> int:
    """The first visible run: `top`, or the nearest that keeps the selection visible."""
    room = max(1, height - 1)
    top = max(run_list.index - room + 1, min(top, run_list.index))
    return max(0, min(top, len(run_list.rows or ()) - room))


def _header(run_list: RunList, visible: tuple[Column, ...], width: int) -> Line:
    def named(name: str) -> str:
        return name + arrow(run_list) * (name == run_list.column)

    text = " " * _GUTTER + named("run").ljust(_first(run_list) - _GUTTER)
    text += "".join(column.cell(named(column.name)) for column in visible)
    return (Span(cut(text + _GAP + named("note"), width), "muted"),)


def _row(
    run_list: RunList,
    row: RunRow,
    visible: tuple[Column, ...],
    best: frozenset[str],
    current: str | None,
    width: int,
) -> Line:
    chosen = row.id == run_list.at
    role = "chosen" if chosen else "plain"
    text = "".join(column.cell(column.text(row, run_list.split)) for column in visible) + _GAP
    sign, sign_role = _sign(row, run_list.split, row.id in best)
    room = width - _first(run_list) - len(text)
    return (
        Span(CHOSEN if chosen else " ", "chosen"),
        Span(MARKED, "compared")
        if row.id == run_list.marked
        else Span(HERE if row.id == current else " ", "good"),
        Span(row.id.ljust(_first(run_list) - _GUTTER - _SIGN), role),
        Span(f" {sign}", sign_role),
        Span(text, role),
        *_note(row, role, room),
    )


def _sign(row: RunRow, split: str, best: bool) -> tuple[str, str]:
    if row.ratio is None or row.score(split) is None:
        return " ", "plain"
    if row.trained:
        return DENSE, "dense"
    if best:
        return ON_FRONT, "best"
    return (STOPPED_EARLY if row.status == STOPPED else OFF_FRONT), "muted"


def _note(row: RunRow, role: str, room: int) -> Line:
    """The run's status, unless it is done, and its note."""
    status, status_role = status_note(row)
    note = (" · " if status and row.note else "") + row.note
    status = cut(status, room)
    return (Span(status, status_role), Span(cut(note, room - len(status)), role))


def status_note(row: RunRow) -> tuple[str, str]:
    """A run's status as text with its role; empty if it is done."""
    so_far = f", {epochs(row)} epochs" if row.epochs and row.planned else ""
    known = {
        STOPPED: ("stopped early", "muted"),
        INTERRUPTED: (f"interrupted{so_far}", "warning"),
        RUNNING: (f"running{so_far}", "working"),
        UNREADABLE: (f"unreadable: {row.problem}", "error"),
    }
    return known.get(row.status, ("", "plain"))
