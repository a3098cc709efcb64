"""The header of a file: the net, a few facts, and the outline of every tensor."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InputError
from core.formats.codec.coder.stream import Stream
from core.formats.codec.compact import CODEBOOK_DTYPES, DTYPES
from core.formats.codec.layouts import LAYOUTS, layout_number
from core.formats.codec.tensor_info import CODEBOOK, RAW, TIED, Outline
from core.system.untrusted_json import FaultError, from_json

MAX_FACTS = 4096
MAX_NAMES = 1 << 20
MAX_ENTRIES = 1 << 16
MAX_DIMENSIONS = 8
MAX_SIDE = (1 << 31) - 1

NamedShape = tuple[str, tuple[int, ...]]
"""A tensor's name and shape."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file: the zoo's name for its net or "", its tensors, and other facts."""

    model: str = ""
    outlines: Sequence[Outline] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> tuple[NamedShape, ...]:
        """The names and shapes of its tensors."""
        return tuple((it.name, it.shape) for it in self.outlines)

    @property
    def layout(self) -> int:
        """The number of its layout; 0 if the header stores names and shapes itself."""
        return layout_number(self.model, self.named)


def facts_text(facts: Mapping[str, Any]) -> str:
    """Facts as compact JSON, sorted; "" for none; raises InputError if not JSON or too long."""
    if not facts:
        return ""
    try:
        text = json.dumps(
            dict(facts), allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the facts of a compact file must be plain JSON: {error}") from error
    if size > MAX_FACTS:
        raise InputError(f"the facts of the file take {size} bytes, expected at most {MAX_FACTS}")
    return text


def code_header(
    stream: Stream, original: Header | None, check: Callable[[Sequence[NamedShape], bool], None]
) -> Header:
    """Code a header.

    Args:
        stream: read from or written to.
        original: the header to write; None to read.
        check: called with names, shapes and whether they are a layout's, before more is read;
            raises InputError to refuse them.

    Raises:
        InputError: the stream does not hold a valid header.
    """
    header = original or Header()
    number = stream.number("layout", header.layout, len(LAYOUTS))
    text = stream.text("facts", facts_text(header.facts), MAX_FACTS)
    try:
        facts = from_json(text, "the text of the facts") if text else {}
    except FaultError as error:
        raise InputError(str(error)) from error
    if number:
        layout = LAYOUTS[number - 1]
        model, named = layout.model, list(layout.shapes)
    else:
        model = stream.text("model", header.model, 64)
        named = _code_names(stream, header.named)
    check(named, number > 0)
    outlines: list[Outline] = []
    for i, (name, shape) in enumerate(named):
        outline = original.outlines[i] if original else Outline(name, shape, RAW)
        outlines.append(_code_outline(stream, outline, outlines))
    return Header(model, outlines, facts)


def _code_names(stream: Stream, original: Sequence[NamedShape]) -> list[NamedShape]:
    count = stream.number("count of tensors", len(original), MAX_ENTRIES)
    text = stream.text("names", "\n".join(name for name, _ in original), MAX_NAMES)
    names = text.split("\n") if count else []
    if len(names) != count or len(set(names)) != count:
        raise InputError(f"it names {len(set(names))} tensors, expected {count}")
    shapes = [shape for _, shape in original] if original else [()] * count
    named = []
    for name, shape in zip(names, shapes, strict=True):
        dimensions = stream.number("count of dimensions", len(shape), MAX_DIMENSIONS)
        sides = shape if original else (0,) * dimensions
        named.append((name, tuple(stream.number("side", side, MAX_SIDE) for side in sides)))
    return named


def _code_outline(stream: Stream, outline: Outline, before: Sequence[Outline]) -> Outline:
    label = "weight" if outline.is_weight else "bias"
    kind = stream.number(f"kind of a {label}", outline.kind, TIED)
    dtype, tied = "", -1
    if kind == RAW:
        dtype = _code_name(stream, f"type of a {label}", outline.dtype, tuple(DTYPES))
    elif kind == CODEBOOK:
        dtype = _code_name(stream, f"codebook of a {label}", outline.dtype, CODEBOOK_DTYPES)
    elif kind == TIED:
        tied = stream.number("entry it is tied to", outline.tied)
        if tied >= len(before) or before[tied].kind == TIED:
            raise InputError(f"'{outline.name}' is not tied to an earlier tensor")
        if before[tied].shape != outline.shape:
            raise InputError(f"'{outline.name}' is tied to a tensor of a different shape")
    return Outline(outline.name, outline.shape, kind, dtype, tied)


def _code_name(stream: Stream, label: str, name: str, known: tuple[str, ...]) -> str:
    return known[stream.number(label, known.index(name) if name in known else 0, len(known) - 1)]
