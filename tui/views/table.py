"""The layer table: name, shape, parameters, sparsity as a bar and a number, kept, threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.footprint import Footprint
from tui.format import count, percent
from tui.lines import Line, Lines, Span, cut
from tui.state import State

if TYPE_CHECKING:
    from core.whatif import Cut, Profile

LOCK = "▪"
"""Beside a layer that is locked."""

EIGHTHS = " ▏▎▍▌▋▊▉"
_GAP = 2
_BAR = 6
_SHAPE, _COUNT, _NUMBER, _FLOOR, _THRESHOLD = 12, 11, 8, 8, 9


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns there is room for, and how wide those are that give way.

    Attributes:
        count: cells of a number of parameters.
        bar_start: the cell in which the sparsity bar begins.
    """

    name: int
    count: int
    bar: int
    shape: bool
    floor: bool
    threshold: bool

    @property
    def bar_start(self) -> int:
        """The cell in which the sparsity bar begins."""
        return 2 + self.name + self.shape * (_GAP + _SHAPE) + self.count + _GAP


def columns(state: State, width: int) -> Columns:
    """Fit the columns to a width: the shape gives way first, then the threshold."""
    longest = max((len(name) for name in state.layer_names), default=5)
    name = min(max(longest, 5), max(8, width // 4))
    floor = any(profile.floor > 0 for profile in state.profiles)
    most = max((cost.parameters for cost in state.footprints), default=0)
    number = max(_COUNT, len(count(most)) + 1)
    spare = width - 2 - name - number - _GAP - _BAR - _NUMBER - number - 1
    floor = floor and spare >= _FLOOR
    spare -= _FLOOR * floor
    threshold = spare >= _THRESHOLD
    spare -= _THRESHOLD * threshold
    shape = spare >= _SHAPE + _GAP
    spare -= (_SHAPE + _GAP) * shape
    return Columns(name, number, _BAR + max(0, min(spare, 34)), shape, floor, threshold)


def table(state: State, width: int, height: int) -> Lines:
    """The table in `height` lines: a header, then the layers around the chosen one."""
    if not state.profiles:
        return ((Span("  the layers of the net appear here when it is loaded", "muted"),),)
    fitted = columns(state, width)
    start = first_row(state, height)
    rows = [_row(state, index, fitted) for index in range(start, len(state.profiles))]
    return (_header(fitted), *rows[: max(1, height - 1)])


def first_row(state: State, height: int) -> int:
    """The layer in the table's first row, such that the chosen one is in sight."""
    room = max(1, height - 1)
    return max(0, min(state.chosen - room // 2, len(state.profiles) - room))


def _header(fitted: Columns) -> Line:
    text = "  " + "layer".ljust(fitted.name)
    if fitted.shape:
        text += " " * _GAP + "shape".ljust(_SHAPE)
    text += "parameters".rjust(fitted.count) + " " * _GAP
    text += "sparsity".ljust(fitted.bar)
    text += "%".rjust(_NUMBER)
    if fitted.floor:
        text += "floor".rjust(_FLOOR)
    text += "kept".rjust(fitted.count)
    if fitted.threshold:
        text += "|w| >".rjust(_THRESHOLD)
    return (Span(text, "muted"),)


def _row(state: State, index: int, fitted: Columns) -> Line:
    profile, planned = state.profiles[index], state.cuts[index]
    cost = state.footprints[index]
    chosen = index == state.chosen
    role = "chosen" if chosen else "plain"
    locked = profile.layer.name in state.locked
    return (
        Span("▶" if chosen else " ", "chosen"),
        Span(LOCK if locked else " ", "chosen" if chosen else "plain"),
        Span(_left(profile, cost, fitted), role),
        *_bar(planned.sparsity, profile.floor, fitted.bar, chosen),
        Span(_right(profile, planned, fitted), role),
    )


def _left(profile: Profile, cost: Footprint, fitted: Columns) -> str:
    layer = profile.layer
    text = cut(layer.name, fitted.name).ljust(fitted.name)
    if fitted.shape:
        text += " " * _GAP + cut("×".join(map(str, layer.shape)), _SHAPE).ljust(_SHAPE)
    return text + count(cost.parameters).rjust(fitted.count) + " " * _GAP


def _right(profile: Profile, planned: Cut, fitted: Columns) -> str:
    text = percent(100 * planned.sparsity).rjust(_NUMBER)
    if fitted.floor:
        text += percent(100 * profile.floor).rjust(_FLOOR)
    text += count(planned.kept).rjust(fitted.count)
    if fitted.threshold:
        text += f"{planned.threshold:.4f}".rjust(_THRESHOLD)
    return text


def _bar(sparsity: float, floor: float, width: int, chosen: bool) -> Line:
    """The floor dark, what the plan adds bright, what is kept as a track."""
    fixed = round(floor * width)
    eighths = max(round(sparsity * width * 8) - fixed * 8, 0)
    whole, part = divmod(eighths, 8)
    added = "█" * whole + (EIGHTHS[part] if part else "")
    track = "·" * (width - fixed - len(added))
    return (
        Span("▒" * fixed, "floor"),
        Span(added, "bar-chosen" if chosen else "bar"),
        Span(track, "muted"),
    )
