"""The header of a file: the net, a few facts, and every tensor without its values."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from core.errors import InputError
from core.formats.codec.coder.stream import Stream
from core.formats.codec.compact import CODEBOOK_DTYPES, DTYPES
from core.formats.codec.tensor_info import CODEBOOK, RAW, TIED, TensorInfo
from core.formats.codec.zoo_shapes import LAYOUTS, layout_number
from core.system.untrusted_json import from_json

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
    tensors: Sequence[TensorInfo] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> tuple[NamedShape, ...]:
        """The names and shapes of its tensors."""
        return tuple((tensor.name, tensor.shape) for tensor in self.tensors)

    @property
    def elements(self) -> int:
        """The number of values in its tensors, counting a side of 0 as 1."""
        return _elements(self.named)

    @property
    def layout(self) -> int:
        """The number of its layout; 0 if the header stores names and shapes itself."""
        return layout_number(self.model, self.named)


def _facts_text(facts: Mapping[str, Any]) -> str:
    """Facts as compact JSON, sorted; "" for none; raises InputError if they are not plain JSON."""
    if not facts:
        return ""
    try:
        text = json.dumps(
            dict(facts), allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        text.encode()  # fails if a string is not valid Unicode
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"the metadata of a compact file must be plain JSON: {error}") from error
    return text


def _elements(named: Iterable[NamedShape]) -> int:
    return sum(prod(max(side, 1) for side in shape) for _, shape in named)


def code_header(
    stream: Stream,
    original: Header | None = None,
    check: Callable[[int, bool], None] = lambda _count, _known: None,
) -> Header:
    """Code a header, `original` or the one read; raises InputError or FaultError if it is invalid.

    `check` gets the number of values, and whether their shapes are a layout's, before more is read;
    it raises InputError to refuse them.
    """
    header = original or Header()
    number = stream.number("layout", header.layout, len(LAYOUTS))
    text = stream.text("facts", _facts_text(header.facts), MAX_FACTS)
    facts = from_json(text, "the metadata") if text else {}
    named: Sequence[NamedShape]
    if number:
        model, named = LAYOUTS[number - 1]
    else:
        model = stream.text("model", header.model, 64)
        named = _code_names(stream, header.named)
    check(_elements(named), number > 0)
    tensors: list[TensorInfo] = []
    for i, (name, shape) in enumerate(named):
        info = original.tensors[i] if original else TensorInfo(name, shape, RAW)
        tensors.append(_code_info(stream, info, tensors))
    stream.end_part("header")
    return Header(model, tensors, facts)


def _code_names(stream: Stream, original: Sequence[NamedShape]) -> list[NamedShape]:
    count = stream.number("count of tensors", len(original), MAX_ENTRIES)
    text = stream.text("names", "\n".join(name for name, _ in original), MAX_NAMES)
    names = text.split("\n") if count else []
    if len(names) != count or len(set(names)) != count:
        raise InputError(f"it has {len(set(names))} different names, expected {count}")
    shapes = [shape for _, shape in original] if original else [()] * count
    named = []
    for name, shape in zip(names, shapes, strict=True):
        dimensions = stream.number("count of dimensions", len(shape), MAX_DIMENSIONS)
        sides = shape if original else (0,) * dimensions
        named.append((name, tuple(stream.number("side", side, MAX_SIDE) for side in sides)))
    return named


def _code_info(stream: Stream, info: TensorInfo, before: Sequence[TensorInfo]) -> TensorInfo:
    label = "weight" if info.is_weight else "bias"
    kind = stream.number(f"kind of a {label}", info.kind, TIED)
    dtype, tied = "", -1
    if kind == RAW:
        dtype = _code_name(stream, f"type of a {label}", info.dtype, tuple(DTYPES))
    elif kind == CODEBOOK:
        dtype = _code_name(stream, f"codebook of a {label}", info.dtype, CODEBOOK_DTYPES)
    elif kind == TIED:
        tied = stream.number("entry it is tied to", info.tied)
        if tied >= len(before) or before[tied].kind == TIED:
            raise InputError(f"'{info.name}' is not tied to an earlier tensor")
    return TensorInfo(info.name, info.shape, kind, dtype, tied)


def _code_name(stream: Stream, label: str, name: str, known: tuple[str, ...]) -> str:
    return known[stream.number(label, known.index(name) if name in known else 0, len(known) - 1)]
