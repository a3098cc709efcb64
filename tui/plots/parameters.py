"""The parameter plot: parameters of each layer, and how many are kept."""

from dataclasses import dataclass

from tui.plots.drawing.bars import Bar, Style, draw_bars
from tui.plots.drawing.numbers import COUNTS, amounts, count, percent
from tui.text.lines import Lines

_STYLE = Style("parameters", "kept", False, COUNTS, count, percent)


@dataclass(frozen=True, slots=True)
class ParametersData:
    """What the plot of parameters shows.

    Attributes:
        layers: The layers' names.
        dense: Parameters of each before pruning.
        kept: Parameters of each that are not pruned.
        chosen: Which layer is chosen.
    """

    layers: tuple[str, ...]
    dense: tuple[int, ...]
    kept: tuple[int, ...]
    chosen: int


def draw(data: ParametersData, width: int, height: int) -> Lines:
    """Draw a bar per layer, kept over dense."""
    columns = data.layers, amounts(data.dense).tolist(), amounts(data.kept).tolist()
    bars = [Bar(*row) for row in zip(*columns, strict=False)]
    return draw_bars(_STYLE, bars, data.chosen, width, height)
