"""The rows of the layer table: layers, headings of modules, and matches."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.nets.layers import Layer

MAX_UNGROUPED = 8
"""Maximum layers of a net or module that are listed without headings."""

KIND_PREFIX = "*"
"""Starts a search text that is a kind of layer rather than names or shapes."""

_SIZES = re.compile(r"\d+(x\d+)*x?")
"""A shape or the beginning of one; a lone number is part of a name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A layer, or the heading of several.

    Attributes:
        layers: indices of the layers.
        group: the heading: a module's path or a search text; empty for a layer.
        depth: number of headings above it.
        inside: the module's path of the heading right above it; empty if there is none.
    """

    layers: tuple[int, ...]
    group: str = ""
    depth: int = 0
    inside: str = ""

    def relative(self, name: str) -> str:
        """A name of this row as it reads below the row's heading."""
        return name.removeprefix(f"{self.inside}.") if self.inside else name


@lru_cache(maxsize=4)
def groups_of(names: tuple[str, ...]) -> tuple[Row, ...]:
    """The headings of a net's layers by module, outer ones first.

    More than `MAX_UNGROUPED` layers are split where their paths first differ; a part with several
    layers gets a heading, and is divided further. `names` are in the order of a walk through the
    modules, in which the layers of a module follow one another.

    Examples:
        >>> names = ("stem", *(f"blocks.{at}.{name}" for at in range(3) for name in "abc"), "head")
        >>> [(row.group, len(row.layers), row.depth) for row in groups_of(names)]
        [('blocks', 9, 0), ('blocks.0', 3, 1), ('blocks.1', 3, 1), ('blocks.2', 3, 1)]
    """
    return tuple(_headings([tuple(name.split(".")) for name in names], range(len(names))))


def _headings(
    paths: list[tuple[str, ...]], inside: Sequence[int], above: str = "", depth: int = 0
) -> Iterator[Row]:
    if len(inside) <= MAX_UNGROUPED:
        return
    differ = len(_common_path(paths, inside))
    for _, part in groupby(inside, key=lambda index: paths[index][: differ + 1]):
        layers = tuple(part)
        if len(layers) > 1:
            group = ".".join(_common_path(paths, layers))
            yield Row(layers, group, depth, above)
            yield from _headings(paths, layers, group, depth + 1)


def _common_path(paths: list[tuple[str, ...]], inside: Sequence[int]) -> tuple[str, ...]:
    """The leading parts that the paths of some layers share."""
    parts = zip(*(paths[index] for index in inside), strict=False)
    return tuple(part[0] for part in takewhile(lambda part: len(set(part)) == 1, parts))


def visible_rows(groups: Sequence[Row], count: int, folded: Collection[str]) -> tuple[Row, ...]:
    """The rows of `count` layers, without those below a folded heading."""
    headings: dict[int, list[Row]] = {}
    layers = [Row((index,)) for index in range(count)]
    for heading in groups:
        headings.setdefault(heading.layers[0], []).append(heading)
        for index in heading.layers:
            layers[index] = Row((index,), depth=heading.depth + 1, inside=heading.group)
    rows, hidden = list[Row](), 0
    for index in range(count):
        for heading in headings.get(index, ()):
            if index >= hidden:
                rows.append(heading)
                hidden = heading.layers[-1] + 1 if heading.group in folded else hidden
        if index >= hidden:
            rows.append(layers[index])
    return tuple(rows)


def matching_rows(layers: Sequence[Layer], text: str) -> tuple[Row, ...]:
    """The layers that match, below a heading for all of them; empty if none match."""
    matching = tuple(index for index, layer in enumerate(layers) if matches(layer, text))
    if not matching:
        return ()
    return (
        Row(matching, f"/{shown_filter(text)}"),
        *(Row((index,), depth=1) for index in matching),
    )


def shown_filter(text: str) -> str:
    """The search text as a heading shows it."""
    return text.removeprefix(KIND_PREFIX)


def matches(layer: Layer, text: str) -> bool:
    """Whether each word is in the layer's name or shape, or starts a word of its kind.

    After `KIND_PREFIX`, each must be a whole word of its kind.

    Examples:
        >>> from core.nets.layers import Layer
        >>> layer = Layer("layer1.0.conv2", (64, 32, 3, 3), 18_432, 18_432, kind="convolution")
        >>> [matches(layer, text) for text in ("LAYER1 conv", "32x3x3", "2x3", "3x", "linear")]
        [True, True, False, True, False]
        >>> [matches(layer, text) for text in ("*convolution", "*conv")]
        [True, False]
    """
    if text.startswith(KIND_PREFIX):
        return set(shown_filter(text).split()) <= set(layer.kind.split())
    return all(_matches_word(layer, word) for word in text.lower().replace("×", "x").split())


def _matches_word(layer: Layer, word: str) -> bool:
    if word in layer.name.lower() or any(part.startswith(word) for part in layer.kind.split()):
        return True
    shape = "x".join(map(str, layer.shape))
    sizes = word.removesuffix("x")
    return "x" in word and _SIZES.fullmatch(word) is not None and f"x{sizes}x" in f"x{shape}x"
