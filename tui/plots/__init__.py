"""Plots as pure functions: plain numbers in, lines of text with roles out.

Each plot is a module with a frozen dataclass and `draw(data, width, height)`. A role is a name,
which the screen maps to a colour of its theme; nothing here knows of themes or screens.
"""

from tui.plots import accuracy, histogram, parameters, size
from tui.plots.accuracy import AccuracyData
from tui.plots.histogram import HistogramData
from tui.plots.parameters import ParametersData
from tui.plots.size import SizeData
from tui.text.lines import ROLES, Line, Lines, Span

__all__ = [
    "ROLES",
    "AccuracyData",
    "HistogramData",
    "Line",
    "Lines",
    "ParametersData",
    "SizeData",
    "Span",
    "accuracy",
    "histogram",
    "parameters",
    "size",
]
