"""Lines of spans, each span a text with a role."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, zip_longest
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len

ROLES = (
    "dense", "pruned", "finetuned", "validation", "best", "batch", "loss", "right", "wrong",
    "kept", "removed", "floor", "bar", "bar-chosen", "threshold", "total", "file", "counted",
    "headline", "chosen", "compared", "uniform", "front", "sparse-engine",
    "series-1", "series-2", "series-3", "series-4", "band", "rate", "ramp", "cursor",
    "heat-none", "heat-low", "heat-over", "heat-far",
    "good", "warning", "error", "working", "chip",
    "plain", "label", "muted", "hint", "axis", "title", "brand", "key", "key-label",
    "frame", "frame-focused",
)  # fmt: skip
"""The roles, in the order of tui/colors.tcss, which gives each its color."""

_NUMBERS = re.compile(r"(\D*)(.*\d|)(\D*)", re.DOTALL)
"""What is before the first number of a name, from the first to the last, and after the last."""

_AROUND = 8
"""The least cells for what is around the numbers of a shortened name."""

_ELLIPSIS = 8
"""The least cells of a shortened name that says so."""

_NAME_WIDTHS = range(14, 32)
"""The widths to which names are shortened, as long as they differ."""


_SECOND_CELL = "\u2060"
"""Stands for the second half of a wide character."""

_UNBROKEN = "\u200b"
"""Stands for a space at which no line ends."""


class Span(NamedTuple):
    """A text with a role; roles are names, so that only the screen decides on colors."""

    text: str
    role: str


Line = tuple[Span, ...]
Lines = tuple[Line, ...]


def blank(width: int, height: int) -> Lines:
    """Return an empty area."""
    return (_fill(width),) * max(0, height)


def note(text: str, width: int, height: int) -> Lines:
    """Return an area with a text in its middle."""
    lines = list(blank(width, height))
    if lines and width > 0:
        lines[height // 2] = (Span(cut(text, width).center(width), "hint"),)
    return tuple(lines)


def fits(width: int, height: int) -> bool:
    """Whether an area has room for a plot with axes."""
    return width >= 20 and height >= 4


def clean(text: str) -> str:
    r"""Replace every character that does not take exactly one cell.

    Examples:
        >>> clean("conv\n層")
        'conv??'
    """
    return "".join(char if _is_single(char) else "?" for char in text)


def cut(text: str, width: int) -> str:
    """Shorten a text to a width, with an ellipsis.

    Examples:
        >>> cut("classifier", 6)
        'class…'
    """
    return text if len(text) <= width else f"{text[: width - 1]}…" if width > 0 else ""


def cut_name(name: str, width: int) -> str:
    """Shorten the name of a layer in the middle, around its numbers, which tell layers apart.

    Examples:
        >>> cut_name("classifier", 6), cut_name("layer1.0.conv2", 10)
        ('cl…ier', 'layer1.0…2')
        >>> cut_name("encoder.layers.encoder_layer_11.self_attention.in_proj_weight", 28)
        'encode…layer_11.self_…weight'
    """
    if len(name) <= width:
        return name
    before, numbers, after = map(str, _NUMBERS.findall(name)[0])
    room = width - len(numbers)
    if not numbers or room < _AROUND:
        return _cut_middle(name, width)
    end = min(len(after), max(room // 2, room - len(before)))
    return _cut_middle(before, room - end) + numbers + _cut_middle(after, end)


def shortened(names: Sequence[str], width: int) -> list[str]:
    """Shorten names to a width: at the end or, if only that keeps them apart, in the middle.

    Examples:
        >>> shortened(["airplane", "automobile", "bird"], 4)
        ['airp', 'auto', 'bird']
        >>> shortened(["wool hat", "wool sock"], 4)
        ['w…at', 'w…ck']
    """
    first = [name[: max(0, width)] if width < _ELLIPSIS else cut(name, width) for name in names]
    middle = [cut_name(name, width) for name in names]
    return middle if len(set(first)) < len(set(middle)) else first


def _cut_middle(text: str, width: int) -> str:
    """Shorten a text in the middle, or beside it if that loses fewer digits."""
    lost = len(text) + 1 - width
    if lost < 2 or width < 3:
        return cut(text, width)
    digits = (0, *accumulate(char.isdigit() for char in text))
    middle = (len(text) - lost) / 2

    def loss(start: int) -> tuple[int, float]:
        return digits[start + lost] - digits[start], abs(start - middle)

    start = min(range(1, width - 1), key=loss)
    return f"{text[:start]}…{text[start + lost :]}"


@lru_cache(maxsize=8)
def distinct_width(names: tuple[str, ...]) -> int:
    """The least width at which shortened names still differ, within limits.

    Examples:
        >>> distinct_width(("features.denseblock1.conv1", "features.denseblock1.conv2"))
        14
    """
    longest, number = max(map(len, names), default=0), len(set(names))
    widths = range(min(longest, _NAME_WIDTHS.start), min(longest, _NAME_WIDTHS.stop))
    fitting = (width for width in widths if len({cut_name(n, width) for n in names}) == number)
    return next(fitting, widths.stop)


def wrap_cells(text: str, width: int) -> list[str]:
    """Break a text into lines of at most a width in cells, of which wide characters take two.

    A percent sign stays with its number.

    Examples:
        >>> wrap_cells("cannot read 模型", 11)
        ['cannot read', '模型']
        >>> wrap_cells("it gets 99.42 % right", 14)
        ['it gets', '99.42 % right']
    """
    filled = "".join(char + _SECOND_CELL * (cell_len(char) - 1) for char in text)
    lines = wrap(filled.replace(" %", f"{_UNBROKEN}%"), width, break_on_hyphens=False)
    return [line.replace(_SECOND_CELL, "").replace(_UNBROKEN, " ") for line in lines]


def header(title: Sequence[Span], legend: Sequence[Span], width: int, rows: int) -> Lines:
    """Lay out a title and a legend above a plot; the parts include their separators.

    Parts that do not fit are dropped, last ones first; only the title's first part is cut. The
    legend is below the title if there are two rows, to the right of it if there is one.
    """
    left = whole_parts(title, width)
    if rows > 1:
        return (_pad(left, width), _pad(_pack(legend, width), width))
    right = _pack(legend, width - width_of(left) - 1)
    return ((*left, *_fill(width - width_of(left) - width_of(right)), *right),)


def whole_parts(title: Sequence[Span], width: int) -> Line:
    """The parts of a title that fit as a whole; only the first is cut."""
    if not title:
        return ()
    return _pack((Span(cut(title[0].text, width), title[0].role), *title[1:]), width)


def beside(left: Lines, right: Lines, width: int) -> Lines:
    """Put two areas side by side, at the left and the right edge of a width."""
    start = width - (width_of(right[0]) if right else 0)
    rows = zip_longest(left, right, fillvalue=())
    return tuple(_pad((*_pad(one, start), *other), width) for one, other in rows)


def _is_single(char: str) -> bool:
    # All wide characters come after U+1100, and terminals disagree about many of them.
    return char < "\u1100" and char.isprintable() and not unicodedata.category(char).startswith("M")


def width_of(spans: Iterable[Span]) -> int:
    """The width of a line, in cells."""
    return sum(len(span.text) for span in spans)


def _fill(width: int) -> Line:
    return (Span(" " * width, "plain"),) if width > 0 else ()


def _pad(spans: Line, width: int) -> Line:
    return (*spans, *_fill(width - width_of(spans)))


def _pack(spans: Sequence[Span], width: int) -> Line:
    packed: list[Span] = []
    for span in spans:
        if len(span.text) > width:
            break
        packed.append(span)
        width -= len(span.text)
    return tuple(packed)
