"""The scoreboard: how light the net is, and how good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.nets.footprint import SIZE_NOTE
from tui.state.results import STALE, Result
from tui.state.state import State
from tui.text.format import count, difference_from, plural, ratio, score, score_on
from tui.text.frames import Frame
from tui.text.lines import Line, Lines, Span, width_of
from tui.text.units import size

if TYPE_CHECKING:
    from core.events import Accuracy

_AT = "at 4 bytes per nonzero"

RECALIBRATED = "recalibrated"
"""Of a net pruned in one shot whose running statistics were computed anew."""

Split = Literal["test", "validation"]

_NAME, _VALUE, _DIFFERENCE = 12, 9, 8
_SPLITS: tuple[Split, ...] = ("test", "validation")
ROWS: dict[Frame, int] = {"box": 7, "rule": 2, "none": 3}
"""Its lines in each frame; always as many, so that nothing below jumps."""

_SHORT_NAMES = {"fine-tuned": "tuned", "reconstructed": "recon."}

_STATES = 4
"""The rows of a net that was reconstructed."""

_COUNTED = (f"  ({SIZE_NOTE})", "  (4 bytes per nonzero)", "  (4 B each)")
"""What the size of a net without a file counts, longest wording first."""


def scoreboard(state: State, frame: Frame, width: int) -> Lines:
    """What is below the title in a frame of this kind; `headline` is the title of a rule."""
    if state.base is None:
        return ((),) * ROWS[frame]
    if frame == "box":
        sizes = ((Span(" ", "plain"), *_lightness(state)), _bytes_line(state, width))
        table = _accuracy_table(state, width)
        return (*sizes, *((),) * (ROWS["box"] - len(sizes) - len(table)), *table)
    splits = tuple(_strip(state, split, width) for split in _SPLITS)
    return splits if frame == "rule" else (_size_line(state, width), *splits)


def headline(state: State, frame: Frame, width: int) -> Line:
    """The title: in a rule, with what a box says on its first lines."""
    title = (Span("Result", "title"),)
    if frame != "rule" or state.base is None:
        return title
    return _with_notes((*title, Span(" · ", "muted"), *_lightness(state)), state, width - 6)


def _size_line(state: State, width: int) -> Line:
    return _with_notes((Span(" ", "plain"), *_lightness(state)), state, width)


def _with_notes(spans: Line, state: State, width: int) -> Line:
    """With what dead units take and, if there is still room, what the size counts."""
    for wordings in (_dead(state), _COUNTED if _file_bytes(state) is None else ()):
        room = width - width_of(spans)
        spans += next(((Span(text, "muted"),) for text in wordings if len(text) <= room), ())
    return spans


def _bytes_line(state: State, width: int) -> Line:
    cost = state.footprint
    sizes = f" {size(cost.dense_bytes)} → {size(cost.pruned_bytes)} "
    room = width - len(sizes) - len(_AT)
    dead = next((text for text in _dead(state) if len(text) <= room), "")
    return (Span(sizes, "plain"), Span(_AT + dead, "muted"))


def _lightness(state: State) -> Line:
    """The ratio, the parameters kept, and the size: that of the file, once one was made."""
    cost, file = state.footprint, _file_bytes(state)
    lighter = " lighter" if cost.ratio >= 1.005 else ""
    bytes_ = size(cost.pruned_bytes) if file is None else f"{size(file)} file"
    return (
        Span(f"{ratio(cost.ratio)}{lighter}", "headline"),
        Span(" · ", "muted"),
        Span(count(cost.nonzero), "kept"),
        Span(f" of {count(cost.parameters)} · ", "plain"),
        Span(bytes_, "kept"),
    )


def _file_bytes(state: State) -> int | None:
    """The bytes of the compact file of the net on the screen, if it was made and they are known."""
    result = state.current
    return result.sizes.compact if result and result.net and result.sizes else None


def _dead(state: State) -> tuple[str, ...]:
    """The size without dead units, if it is known and there are any; longest wording first."""
    result = state.current
    if result is None or result.dead is None or not result.dead.total:
        return ()
    left = count(result.footprint.without(result.dead).nonzero)
    units = plural(result.dead.total, "dead unit")
    return (f" · {left} without {units}", f" · {units}", f" · {count(result.dead.total)} dead")


@dataclass(frozen=True, slots=True)
class _Row:
    """A state of the net: its accuracies as texts, and what they are of.

    Attributes:
        role: of its numbers.
        accuracy: as measured; None before.
        of: what other plan or base the accuracy is of; empty if it is of the one on the screen.
        validation: shown in place of the measured accuracy: an estimate.
        note: how it was made, where there is room; empty if that goes without saying.
    """

    name: str
    role: str
    accuracy: Accuracy | None
    of: str = ""
    validation: Span | None = None
    note: str = ""

    def number(self, split: Split) -> Span:
        """The accuracy of a split; a dash before it is known."""
        if split == "validation" and self.validation is not None:
            return self.validation
        if self.accuracy is None:
            return Span("–", "muted")
        return Span(score(self.accuracy, split), "muted" if self.of else self.role)

    def of_split(self, split: Split) -> str:
        """What other plan or base a split's number is of; an estimate is of the one shown."""
        return "" if split == "validation" and self.validation else self.of

    def change(self, dense: Accuracy | None, split: Split) -> Span:
        """The difference from the dense net, with its sign; empty where there is none to tell."""
        estimated = split == "validation" and self.validation
        if self.role == "dense" or dense is None or self.accuracy is None or estimated:
            return Span("", "muted")
        points = getattr(self.accuracy, split) - getattr(dense, split)
        better = points >= 0 and not self.of
        return Span(difference_from(self.accuracy, dense, split), "good" if better else "muted")


def _rows(state: State) -> tuple[_Row, ...]:
    """The states of the net; the reconstructed one once there is one."""
    dense = state.dense.accuracy if state.dense else None
    pruned, made, tuned = state.pruned, state.reconstructed, state.finetuned
    start = _Row("reconstructed", "pruned", made.accuracy, _of(state, made)) if made else None
    return (
        _Row("dense", "dense", dense),
        _Row(
            "pruned",
            "pruned",
            pruned.accuracy if pruned else None,
            _of(state, pruned),
            _estimate(state),
            _statistics(state),
        ),
        *((start,) if start else ()),
        _Row("fine-tuned", "finetuned", tuned.accuracy if tuned else None, _of(state, tuned)),
    )


def _statistics(state: State) -> str:
    """What became of the running statistics of the pruned net, if it has any and a number."""
    known = state.is_current(state.pruned) or state.estimate is not None
    if state.base is None or not state.base.has_statistics or state.untouched or not known:
        return ""
    return RECALIBRATED if state.settings.recalibrates else STALE


def _of(state: State, result: Result | None) -> str:
    """Which other plan, base or statistics a result is of."""
    if result is None or state.is_current(result):
        return ""
    switched = (STALE in result.shot) != (STALE in state.shot)
    if switched and result.net is None and replace(result.key, shot=state.shot) == state.key:
        return STALE if STALE in result.shot else RECALIBRATED
    same = result.base is state.base
    return f"at {ratio(result.footprint.ratio)}" if same else "old base"


def _accuracy_table(state: State, width: int) -> Lines:
    """The accuracies, a row for each state of the net and a column for each split."""
    wide = width >= 1 + _NAME + 2 * (_VALUE + _DIFFERENCE)
    change = _DIFFERENCE * wide
    heads = "".join(split.rjust(_VALUE + 2).ljust(_VALUE + 2 + change) for split in _SPLITS)
    lines: list[Line] = [(Span(" " * (1 + _NAME - 2) + heads.rstrip(), "muted"),)]
    dense = state.dense.accuracy if state.dense else None
    for row in _rows(state):
        full = _table_row(row, dense, wide)
        fits = width_of(full) <= width
        line = full if fits else _table_row(row, dense, wide, short=True)
        lines.append(_noted(line, row, width))
    return tuple(lines)


def _table_row(row: _Row, dense: Accuracy | None, wide: bool, *, short: bool = False) -> Line:
    """A row of the table; a short one leaves out the differences of another plan's numbers."""
    spans = [Span(f" {row.name:<{_NAME}}", "plain")]
    end = 1 + _NAME
    for split in _SPLITS:
        end += _VALUE
        number, points = row.number(split), row.change(dense, split)
        gap = not spans[-1].text.endswith(" ")
        room = max(gap, end - width_of(spans) - len(number.text))
        spans.append(Span(" " * room + number.text, number.role))
        end += _DIFFERENCE * wide
        if row.of_split(split) != row.of_split("validation"):
            spans.append(Span(f" {row.of}", "muted"))
        elif wide and not (short and row.of):
            spans.append(Span(points.text.rjust(_DIFFERENCE), points.role))
    spans.append(Span(f"  {row.of}" if row.of_split("validation") else "", "muted"))
    return tuple(spans)


def _noted(line: Line, row: _Row, width: int) -> Line:
    """The row of a table with its note, if there is room."""
    note = f" {row.note}" * bool(row.note)
    return (*line, Span(note, "muted")) if note and width_of(line) + len(note) <= width else line


def _strip(state: State, split: Split, width: int) -> Line:
    """One line for a split, in the longest wording that fits; the last one fits 60 columns."""
    dense = state.dense.accuracy if state.dense else None
    label, rows = Span(f" {split:<11}", "muted"), _rows(state)
    full, plain = (
        [_strip_part(row, split, dense, changes=changes) for row in rows]
        for changes in (True, False)
    )
    short = [_short_part(row, split) for row in rows]
    noted = [
        _strip_part(replace(row, name=_with_note(row)), split, dense, changes=True) for row in rows
    ]
    wordings = [(noted, 3), (full, 3), (plain, 3), (short, 2)]
    lines = [(label, *_spaced(parts, gap)) for parts, gap in wordings]
    if len(rows) == _STATES:
        lines[2:] = _four_states(rows, split, dense)
    return next((line for line in lines if width_of(line) <= width), lines[-1])


def _four_states(rows: Sequence[_Row], split: Split, dense: Accuracy | None) -> list[Line]:
    """The shorter wordings with a reconstructed net: of the differences, the last one matters."""
    last = next((row for row in reversed(rows) if row.accuracy and not row.of), None)
    full = {row: _strip_part(row, split, dense, changes=row is last) for row in rows}
    short = {row: _short_part(row, split) for row in rows}
    fewer = {**short, **({last: full[last]} if last else {})}
    label, least = Span(f" {split:<11}", "muted"), Span(f" {split[:5]:<6}", "muted")
    lines: list[Line] = [(label, *_spaced([*each.values()], 2)) for each in (full, fewer, short)]
    known = [short[row] for row in rows if row.name != "reconstructed" or not row.of]
    for parts in ([*short.values()], known):
        lines.append((least, *_spaced(parts, 1)[:-1]))
    return lines


def _with_note(row: _Row) -> str:
    return f"{row.name}, {row.note}" if row.note else row.name


def _spaced(parts: Sequence[Line], gap: int) -> Line:
    """The parts, each with a gap after it."""
    return tuple(span for part in parts for span in (*part, Span(" " * gap, "muted")))


def _strip_part(row: _Row, split: Split, dense: Accuracy | None, *, changes: bool) -> Line:
    number, points, of = row.number(split), row.change(dense, split), row.of_split(split)
    return (
        Span(f"{row.name} ", "muted"),
        number,
        Span(f" ({points.text})" * bool(changes and points.text), points.role),
        Span(f" {of}" if of else "", "muted"),
    )


def _short_part(row: _Row, split: Split) -> Line:
    was = "was " * bool(row.of_split(split))
    return (Span(f"{_SHORT_NAMES.get(row.name, row.name)} {was}", "muted"), row.number(split))


def _estimate(state: State) -> Span | None:
    """The background accuracy, before it the scan's forecast; until `p` has measured the plan."""
    if state.is_current(state.pruned):
        return None
    if state.estimate is not None:
        sample = state.estimate.sample
        middle, half = sample.estimate
        exact = score_on(middle, sample.images)
        return Span(exact if sample.exact else f"{middle:.1f} ±{half:.1f}", "pruned")
    if state.forecast is not None:
        return Span(f"about {state.forecast:.0f}?", "hint")
    return None
