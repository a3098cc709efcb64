"""The size plot: bytes of the net, dense and pruned."""

from dataclasses import dataclass

from tui.plots.drawing.bars import Bar, Style, draw_bars
from tui.plots.drawing.numbers import BYTES, amounts, ratio, volume
from tui.text.lines import Lines

_STYLE = Style("size", "pruned", True, BYTES, volume, ratio)


@dataclass(frozen=True, slots=True)
class SizeData:
    """What the plot of sizes shows.

    Attributes:
        layers: The layers' names.
        dense_bytes: Bytes of each before pruning.
        pruned_bytes: Bytes of each after pruning.
        chosen: Which layer is chosen.
    """

    layers: tuple[str, ...]
    dense_bytes: tuple[int, ...]
    pruned_bytes: tuple[int, ...]
    chosen: int


def draw(data: SizeData, width: int, height: int) -> Lines:
    """Draw a bar for each layer and one for all of them, pruned over dense."""
    columns = data.layers, amounts(data.dense_bytes).tolist(), amounts(data.pruned_bytes).tolist()
    bars = [Bar(*row) for row in zip(*columns, strict=False)]
    return draw_bars(_STYLE, bars, data.chosen, width, height)
