"""The layer table: name, shape, weights, sparsity as a bar and a number, kept, threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tui.keys.keymap import with_keys
from tui.state.layer_rows import Row, visible_rows
from tui.state.state import State
from tui.text.format import count, percent, plural
from tui.text.lines import Line, Lines, Span, clean, cut, cut_name
from tui.views.panels.layer_facts import Fact, facts

LOCK, PARTLY = "▪", "▫"
"""Marks of a locked layer, and of a heading with some locked layers."""

POINTER, TARGET = "▶", "│"
"""Marks of the selected row, and of the layers that keys on a heading act on."""

OPEN, FOLDED = "▾", "▸"
"""Marks of an unfolded and a folded heading."""

EIGHTHS = " ▏▎▍▌▋▊▉"
_GAP = 2
_BAR = 8
_FILTERED_NAME = 20
"""The least width of names while a filter is shown above them."""

_SHAPE, _COUNT, _NUMBER, _FLOOR, _THRESHOLD = 11, 8, 7, 8, 11
_WIDE_BAR = 12
"""The bar of a table wide enough for more columns."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns fit, and the widths of the flexible ones; `count` is the width of a count."""

    name: int
    count: int
    bar: int
    shape: bool
    floor: bool
    threshold: bool
    facts: tuple[Fact, ...] = ()

    @property
    def bar_start(self) -> int:
        """The cell in which the sparsity bar begins."""
        return 2 + self.name + self.shape * (_GAP + _SHAPE) + self.count + _GAP


def columns(state: State, width: int) -> Columns:
    """Fit the columns to a width: what only wide tables have is dropped first."""
    floor = any(profile.floor > 0 for profile in state.profiles)
    most = max((profile.layer.elements for profile in state.profiles), default=0)
    if state.listing.groups or state.listing.filter:
        most = sum(profile.layer.elements for profile in state.profiles)
    number = max(_COUNT, len(count(most)) + 1)
    spare = width - 2 - number - _GAP - _BAR - _NUMBER - number - 1
    longest = _longest_name(state.listing.names, state.listing.groups, bool(state.listing.filter))
    name = min(longest, max(8, min(spare - 4, width // 3)))
    spare -= name
    floor = floor and spare >= _FLOOR
    spare -= _FLOOR * floor
    shape = spare >= _SHAPE + _GAP
    spare -= (_SHAPE + _GAP) * shape
    threshold = spare >= _THRESHOLD
    spare -= _THRESHOLD * threshold
    shown = []
    for fact in facts(state) if spare > _WIDE_BAR - _BAR else ():
        if spare - (_WIDE_BAR - _BAR) >= fact.width:
            spare -= fact.width
            shown.append(fact)
    bar = _BAR + max(0, min(spare, 34))
    return Columns(name, number, bar, shape, floor, threshold, tuple(shown))


@lru_cache(maxsize=4)
def _longest_name(names: tuple[str, ...], groups: tuple[Row, ...], filtered: bool) -> int:
    """The width of the longest name, whatever is folded or found."""
    if filtered:
        return max(_FILTERED_NAME, *(2 + len(name) for name in names))
    rows = visible_rows(groups, len(names), ())
    return max(5, *(len(_before(row) + _relative(names, row) + _number(row)) for row in rows))


def table(state: State, width: int, height: int) -> Lines:
    """The table in `height` lines: a header, then the rows around the selected one."""
    if not state.profiles:
        return ((Span("  the layers appear here once the net is loaded", "muted"),),)
    layout, rows = columns(state, width), state.listing.rows
    if not rows:
        advice = with_keys("{all-layers} to list all")
        message = f'  no layers match "{clean(state.listing.filter)}"; {advice}'
        return (_header(layout, ""), (Span(cut(message, width), "warning"),))
    start = first_row(state, height)
    visible = rows[start : start + max(1, height - 1)]
    return (
        _header(layout, visible[0].inside),
        *(_row(state, row, start + place, layout) for place, row in enumerate(visible)),
    )


def layers_kept(state: State) -> Line:
    """The footer of the panel: the weights of all layers, and those kept."""
    if not state.profiles:
        return ()
    weights = sum(profile.layer.elements for profile in state.profiles)
    kept = sum(what_if.kept for what_if in state.what_ifs)
    layers = plural(len(state.profiles), "layer")
    return (Span(f"{layers} · {count(kept)} of {count(weights)} weights kept", "muted"),)


def first_row(state: State, height: int) -> int:
    """The first visible row, such that the selected one is visible."""
    room, listing = max(1, height - 1), state.listing
    return max(0, min(listing.at - room // 2, len(listing.rows) - room))


def _header(layout: Columns, inside: str) -> Line:
    """The columns' names, and the group of the first row below, whose heading is out of sight."""
    name = cut_name(clean(f"in {inside}" if inside else "layer"), layout.name)
    text = "  " + name.ljust(layout.name) + (" " * _GAP + "shape".ljust(_SHAPE)) * layout.shape
    text += "weights".rjust(layout.count) + " " * _GAP + "sparsity".ljust(layout.bar)
    text += "%".rjust(_NUMBER) + "floor".rjust(_FLOOR) * layout.floor + "kept".rjust(layout.count)
    text += "threshold".rjust(_THRESHOLD) * layout.threshold
    return (Span(text + "".join(fact.head.rjust(fact.width) for fact in layout.facts), "muted"),)


def _row(state: State, row: Row, place: int, layout: Columns) -> Line:
    """A layer, or the total of the layers below a heading."""
    chosen = place == state.listing.at
    role = "chosen" if chosen else "plain"
    sparsity, floor = state.sparsity_of(row.layers), _floor(state, row)
    return (
        Span(_pointer(state, row, chosen), "chosen"),
        Span(_lock(state, row), role),
        Span(_left_cells(state, row, layout), role),
        *_bar(sparsity, floor, layout.bar, chosen),
        Span(_right_cells(state, row, (sparsity, floor), layout), role),
        *_fact_cells(row, layout),
    )


def _pointer(state: State, row: Row, chosen: bool) -> str:
    if chosen:
        return POINTER
    heading = state.listing.row
    below = heading.group and row.depth > heading.depth
    return TARGET if below and not set(row.layers).isdisjoint(state.target_layers) else " "


def _lock(state: State, row: Row) -> str:
    locked = sum(state.layer_names[index] in state.locked for index in row.layers)
    return " " if not locked else LOCK if locked == len(row.layers) else PARTLY


def row_name(state: State, row: Row) -> str:
    """A row's whole name: the layer's, or the group's with its number of layers."""
    return row.group + _number(row) if row.group else state.layer_names[row.layers[0]]


def _relative(names: Sequence[str], row: Row) -> str:
    """A row's name below its heading."""
    return row.relative(row.group or names[row.layers[0]])


def _number(row: Row) -> str:
    return f" ({len(row.layers)})" if row.group else ""


def _floor(state: State, row: Row) -> float:
    profiles = [state.profiles[index] for index in row.layers]
    zeros = sum(profile.zeros for profile in profiles)
    return zeros / sum(profile.layer.elements for profile in profiles)


def _left_cells(state: State, row: Row, layout: Columns) -> str:
    text = _name(state, row, layout.name).ljust(layout.name)
    if layout.shape:
        layer = state.profiles[row.layers[0]].layer
        shape = "" if row.group else "×".join(map(str, layer.shape))
        text += " " * _GAP + cut(shape, _SHAPE).ljust(_SHAPE)
    weights = sum(state.profiles[index].layer.elements for index in row.layers)
    return text + count(weights).rjust(layout.count) + " " * _GAP


def _name(state: State, row: Row, width: int) -> str:
    """The name, indented below its headings and shortened to fit."""
    before = _before(row, folded=row.group in state.listing.folded)
    room = width - len(before) - len(_number(row))
    name = clean(_relative(state.layer_names, row))
    shorten = cut if row.group and state.listing.filter else cut_name
    return before + shorten(name, room) + _number(row)


def _before(row: Row, folded: bool = False) -> str:
    """What is to the left of a row's name."""
    mark = f"{FOLDED if folded else OPEN} " if row.group else ""
    return "  " * row.depth + mark


def _right_cells(state: State, row: Row, shares: tuple[float, float], layout: Columns) -> str:
    sparsity, floor = shares
    text = percent(100 * sparsity).rjust(_NUMBER)
    if layout.floor:
        text += percent(100 * floor).rjust(_FLOOR)
    text += count(sum(state.what_ifs[index].kept for index in row.layers)).rjust(layout.count)
    if layout.threshold:
        threshold = _threshold(state.what_ifs[row.layers[0]].threshold)
        text += ("" if row.group else threshold).rjust(_THRESHOLD)
    return text


def _threshold(value: float) -> str:
    """A magnitude; or an importance, which may be tiny."""
    return f"{value:.4f}" if value >= 1e-3 or not value else f"{value:.1e}"


def _fact_cells(row: Row, layout: Columns) -> Line:
    """What only wide tables have; of a group nothing, for the layers' drops do not add up."""
    texts = ("" if row.group else fact.texts[row.layers[0]] for fact in layout.facts)
    pairs = zip(layout.facts, texts, strict=True)
    return tuple(Span(text.rjust(fact.width), fact.role) for fact, text in pairs)


def _bar(sparsity: float, floor: float, width: int, chosen: bool) -> Line:
    """The floor dark, what the plan adds bright, what is kept as dots."""
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
