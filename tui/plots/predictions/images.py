"""The predictions plot: a few images with the dense and the pruned net's predictions."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import ArrayLike

from tui.plots.data_table import Column, DataTable
from tui.plots.drawing.braille import Picture, braille, crop, to_gray
from tui.plots.drawing.heading import heading
from tui.plots.view import PLAIN, View
from tui.text.lines import Line, Lines, Span, blank, clean, fits, note, shortened, width_of

LABEL = "Predictions"
_NETS = ("dense", "pruned")
_WRONG, _MISSING = "✗", "-"
# With fewer dots per side, a digit is unrecognizable.
_LEAST_DOTS = 8
_LARGEST = 2.0
# How much larger pictures must become to justify more rows, or no line with the true class.
_WORTH, _TRUTH = 1.15, 1.3
_CONFIDENCE = 4
# The least cells in which a class's name is legible.
_LEGIBLE = 6
# The most images drawn at once.
_MOST = 40

Prediction = tuple[str, float]
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ImagePredictions:
    """One image and its predictions.

    Attributes:
        pixels: Gray values [H, W], the background darkest.
        label: Its true class.
        dense: The dense net's prediction, and its confidence in percent.
        pruned: The pruned net's prediction.
    """

    pixels: ArrayLike
    label: int | str
    dense: Prediction | None = None
    pruned: Prediction | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PredictionsData:
    """The images, a caption that says which, and the net compared with the dense one."""

    images: tuple[ImagePredictions, ...]
    caption: str = ""
    net: str = "pruned"


def draw(
    data: PredictionsData,
    width: int,
    height: int,
    hint: str = "no images to show",
    view: View = PLAIN,
) -> Lines:
    """Draw all images as large as possible, with the predictions below each."""
    if not fits(width, height):
        return blank(width, height)
    if not data.images:
        return note(clean(hint), width, height)
    images = data.images[:_MOST]
    # The number of pictures shown, which the title says, follows from the room below it.
    rows = len(heading(title(data), _legend(data, numbered=True), width, height, view))
    pictures = crop([to_gray(image.pixels) for image in images])
    tall, wide = (max(picture.shape[side] for picture in pictures) for side in (0, 1))
    lines = _lines(images, height - rows)
    margin = max(len(_row_label(data, name)) for name in lines) + 1 if width >= 40 else 0
    layout = _layout(len(pictures), tall, wide, lines, margin, width, height - rows)
    short, body = _shortened(images, layout.cells), list[Line]()
    for first in range(0, layout.shown, layout.columns):
        shown = slice(first, min(first + layout.columns, layout.shown))
        body += _block(data, images[shown], pictures[shown], layout, short, width)
    body += blank(width, height - rows - len(body))
    numbered = layout.cells > 1 + max(map(len, short.values())) + _CONFIDENCE
    head = heading(title(data, layout.shown), _legend(data, numbered), width, height, view)
    return head + tuple(body)


class _Layout(NamedTuple):
    """The number of visible pictures, the number in a row, and the cells of each."""

    shown: int
    columns: int
    cells: int  # with the gap to the next
    rows: int
    scale: float  # dots per pixel
    lines: Names  # of text below each
    margin: int  # cells for those names


def _layout(
    images: int, tall: int, wide: int, names: Names, margin: int, width: int, height: int
) -> _Layout:
    """Return the layout with the largest pictures, of all images if they stay recognizable."""
    best, size = _Layout(0, 1, 1, 1, 0.0, names, 0), 0.0
    for shown in range(images, 0, -1):
        for lines in (names, names[1:]) if len(names) > 2 else (names,):
            for blocks in range(1, shown + 1):
                columns = math.ceil(shown / blocks)
                cells, rows = (width - margin) // columns, height // blocks - len(lines)
                scale = min((2 * cells - 1) / wide, 4 * rows / tall, _LARGEST)
                worth = _WORTH if lines == best.lines else _TRUTH
                if scale > worth * size:
                    best, size = _Layout(shown, columns, cells, rows, scale, lines, margin), scale
        if size * max(tall, wide) >= _LEAST_DOTS:
            break
    return best._replace(rows=max(1, math.ceil(int(tall * size + 1e-9) / 4)))


def _block(
    data: PredictionsData,
    images: Sequence[ImagePredictions],
    pictures: Sequence[Picture],
    layout: _Layout,
    short: Mapping[str, str],
    width: int,
) -> Iterator[Line]:
    """Yield a row of pictures, then the lines of text below them."""
    drawn = [braille(picture, layout.scale, layout.cells, layout.rows) for picture in pictures]
    roles = ["wrong" if _is_wrong(image, image.pruned) else "plain" for image in images]
    for row in range(layout.rows):
        spans = (Span(rows[row], role) for rows, role in zip(drawn, roles, strict=True))
        yield _line("", spans, layout, width)
    for line in layout.lines:
        spans = (_caption(image, line, short, layout.cells) for image in images)
        yield _line(_row_label(data, line), spans, layout, width)


def _row_label(data: PredictionsData, line: str) -> str:
    return clean(data.net) if line == "pruned" else line


def _line(name: str, spans: Iterable[Span], layout: _Layout, width: int) -> Line:
    start = Span(name.ljust(layout.margin)[: layout.margin], "label")
    line = [start, *spans]
    rest = width - width_of(line)
    return tuple(span for span in (*line, Span(" " * rest, "plain")) if span.text)


def _shortened(images: Sequence[ImagePredictions], cells: int) -> dict[str, str]:
    """Return each class's name as it is below pictures; beside it is room for a confidence.

    Unless that would leave too few cells to read the name.
    """
    names = list(dict.fromkeys(name for image in images for name in _names(image)))
    beside = cells - 2 - _CONFIDENCE
    room = beside if beside >= _LEGIBLE else cells - 2
    return dict(zip(names, shortened([*map(clean, names)], room), strict=True))


def _caption(image: ImagePredictions, line: str, short: Mapping[str, str], cells: int) -> Span:
    """Return the text of a line below a picture, centered, all of one width."""
    truth: Prediction = (str(image.label), math.nan)
    name, confidence = truth if line == "true" else getattr(image, line) or (_MISSING, math.nan)
    role = "right" if name == truth[0] else "wrong"
    if line == "true" or getattr(image, line) is None:
        role = "label"
    width = max(map(len, short.values()))
    text = (_WRONG if role == "wrong" else " ") + short.get(name, name).ljust(width)
    if cells > len(text) + _CONFIDENCE:
        number = f"{min(max(confidence, 0), 100):.0f}" if math.isfinite(confidence) else ""
        text += number.rjust(_CONFIDENCE)
    return Span(f"{text:^{cells}}"[:cells], role)


def _names(image: ImagePredictions) -> Iterator[str]:
    yield str(image.label)
    yield from (prediction[0] for prediction in (image.dense, image.pruned) if prediction)


def _is_wrong(image: ImagePredictions, prediction: Prediction | None) -> bool:
    return prediction is not None and prediction[0] != str(image.label)


def _lines(images: Sequence[ImagePredictions], height: int) -> Names:
    """Return the names of the lines below the pictures, the least important first."""
    nets = [name for name in _NETS if any(getattr(image, name) for image in images)]
    names = ("true", *nets)
    return names if height >= 7 else names[-2:] if height >= 5 else names[-1:]


def table(data: PredictionsData) -> DataTable:
    """Return the predictions of each image."""
    images = data.images
    columns = [Column("image", list(range(1, len(images) + 1))), Column("true", _labels(data))]
    for net in _NETS:
        predictions = [getattr(image, net) for image in images]
        if any(predictions):
            name = _row_label(data, net)
            classes = [one[0] if one else None for one in predictions]
            sure = [one[1] if one else None for one in predictions]
            columns += [Column(name, classes, role=net), Column(f"{name} confidence", sure, "%", 1)]
    return DataTable(tuple(columns), across=1)


def _labels(data: PredictionsData) -> list[str]:
    return [str(image.label) for image in data.images]


def title(data: PredictionsData, shown: int = _MOST) -> Line:
    """Return how many images each net gets right."""
    if not data.images:
        return (Span(f"{LABEL} on test images", "title"),)
    few = f" ({shown} shown)" if shown < min(len(data.images), _MOST) else ""
    title = [Span(f"{LABEL} · {len(data.images)} images{few}", "title")]
    for name in reversed(_NETS):
        predictions = [(image, getattr(image, name)) for image in data.images]
        if any(prediction for _, prediction in predictions):
            right = sum(bool(p) and not _is_wrong(image, p) for image, p in predictions)
            title.append(Span(f" · {_row_label(data, name)} {right} correct", name))
    return tuple(title)


def _legend(data: PredictionsData, numbered: bool) -> Line:
    legend = [Span(f"{clean(data.caption)}  ", "label")] if data.caption else []
    if any(image.dense or image.pruned for image in data.images):
        legend.append(Span(f"{_WRONG} wrong", "wrong"))
        legend += [Span("  number: confidence in %", "hint")] * numbered
    return tuple(legend)
