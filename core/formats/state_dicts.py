"""The state_dict for a net among all that a file holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from core.formats.name_matching import Match, Shape, matches
from core.formats.torch_files.pickle_data import Made
from core.formats.torch_files.tensors import StoredTensor

Value = Tensor | StoredTensor

_ORIGINAL, _MASK = "_orig", "_mask"
"""Suffixes that `torch.nn.utils.prune` adds for a weight and its mask."""

_LONGEST_PATH = 1_000
"""Characters of a name with the keys on the way: what is nested deeper or longer is left out."""

_COUNTERS = ("total_ops", "total_params")
"""What profilers such as thop leave in a net."""

_DATA_MODULES = frozenset(
    {"torch", "numpy", "collections", "datetime", "pathlib", "decimal", "fractions", "uuid"}
)
"""Modules whose objects are plain data: not worth a word when they are skipped."""

_DATA_TYPES = frozenset({"set", "frozenset", "complex", "bytearray", "encode"})
"""The same of Python's own types; `encode` makes bytes."""


@dataclass(frozen=True, slots=True)
class FileContents:
    """What a file holds, flattened: names join the keys on the way with dots.

    Attributes:
        tensors: by name.
        homes: which mapping of the file each tensor is in.
        versions: of the modules that wrote the tensors, by the prefix of their names.
        skipped: the classes and functions of objects that are no tensors and no plain data.
        models: the classes of whole models by name.
    """

    tensors: dict[str, Value] = field(default_factory=dict)
    homes: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, None] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of the tensors."""
        return {name: tuple(value.shape) for name, value in self.tensors.items()}


@dataclass(frozen=True, slots=True)
class Selection:
    """The tensors of a file that are a net's.

    Attributes:
        values: by the net's names.
        surplus: other tensors of the same state_dict, by what they would be called in the net.
        versions: of the modules that wrote them, by the net's names.
        notes: what the user should know.
    """

    match: Match
    values: Mapping[str, Value]
    surplus: Mapping[str, Value]
    versions: Mapping[str, int]
    notes: Sequence[str]


def contents(root: object, tensor: Callable[[object], Value | None]) -> FileContents:
    """Everything in the containers of a file; `tensor` says which objects are tensors."""
    found = FileContents()
    queue: deque[tuple[str, object]] = deque()
    seen = set[int]()

    def note(name: str, value: object, home: int) -> None:
        if (stored := tensor(value)) is not None:
            found.tensors.setdefault(name, stored)
            found.homes.setdefault(name, home)
        elif isinstance(value, Made) and _is_model(value):
            found.models[name] = value.name
        elif _is_container(value):
            queue.append((f"{name}." if name else "", value))
        elif isinstance(value, Made) and not _is_plain_data(value):
            found.skipped[value.name] = None

    note("", root, 0)
    while queue:
        prefix, container = queue.popleft()
        if id(container) not in seen:
            seen.add(id(container))
            found.versions.update(_versions(container, prefix))
            for key, value in _items(container):
                if name := _name(prefix, key):
                    note(name, value, id(container))
    return found


def _name(prefix: str, key: object) -> str:
    """The name of a container's item; empty if it is longer than any that a net has."""
    if isinstance(key, int) and key.bit_length() > 64:  # its digits would take long
        return ""
    name = f"{prefix}{key}"
    return name if len(name) <= _LONGEST_PATH else ""


def _is_model(value: Made) -> bool:
    """Whether an object of a pickle is an nn.Module."""
    return isinstance(value.state, dict) and {"_modules", "_parameters"} <= value.state.keys()


def _is_plain_data(value: Made) -> bool:
    module, _, name = value.name.partition(".")
    is_own = module in ("builtins", "__builtin__", "_codecs")  # Python 2 called it __builtin__
    return module in _DATA_MODULES or (is_own and name in _DATA_TYPES)


def _is_container(value: object) -> bool:
    if isinstance(value, Made):
        return bool(value.items or value.elements) or value.name == "collections.OrderedDict"
    return isinstance(value, dict | list | tuple)


def _items(container: object) -> Iterable[tuple[object, object]]:
    """The items of a container of a file; the index stands for the key in a list."""
    if isinstance(container, dict):
        return container.items()
    if not isinstance(container, Made):
        return enumerate(container) if isinstance(container, list | tuple) else ()
    pairs = container.args[0] if isinstance(container.args, tuple) and container.args else ()
    if not (container.items or container.elements) and isinstance(pairs, list):
        # An OrderedDict of Python 2 is made from a list of pairs.
        return ((pair[0], pair[1]) for pair in pairs if _is_pair(pair))
    return [*container.items.items(), *enumerate(container.elements)]


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str)


def _versions(container: object, prefix: str) -> dict[str, int]:
    """The versions in the `_metadata` of a state_dict, by the prefix of the modules' names."""
    state = container.state if isinstance(container, Made) else None
    metadata = state.get("_metadata") if isinstance(state, dict) else None
    versions = {}
    for module, facts in _items(metadata):
        version = dict(_items(facts)).get("version")
        if isinstance(module, str) and type(version) is int:
            versions[f"{prefix}{module}." if module else prefix] = version
    return versions


def select(found: FileContents, expected: Mapping[str, Shape]) -> Selection:
    """The tensors for a net whose tensors have these names and shapes, as far as they are there."""
    if not any(name.endswith(_ORIGINAL) for name in expected):
        found = _without_masks(found)
    match, *rivals = matches(found.shapes, expected)
    values = {name: found.tensors[key] for name, key in match.names.items()}
    homes = {found.homes[key] for key in match.names.values()} or {*found.homes.values()}
    under = {
        name: key
        for name, key in match.under_prefix().items()
        if found.homes[key] in homes and name not in values
    }
    counters = [name for name in under if name.rpartition(".")[2] in _COUNTERS]
    surplus = {name: found.tensors[key] for name, key in under.items() if name not in counters}
    used = {*match.names.values(), *under.values(), *(k for r in rivals for k in r.names.values())}
    beside = [key for key in found.tensors if found.homes[key] in homes and key not in used]
    notes = []
    if rivals:
        others = " and ".join(rival.key for rival in rivals)
        notes.append(
            f"holds weights for this net under {match.key} and {others}: took {match.key}; to take "
            "others, save them alone with torch.save"
        )
    if counters:
        notes.append(f"left out counters of a profiler: {some(counters)}")
    if beside and match.prefix:
        notes.append(f"left out what is not under {match.key}: {some(beside)}")
    if found.skipped:
        notes.append(f"skipped without running code: {some([*found.skipped])}")
    start = len(match.prefix)
    versions = {
        (match.own + name[start:]).rstrip("."): version
        for name, version in found.versions.items()
        if name.startswith(match.prefix)
    }
    return Selection(match, values, surplus, versions, notes)


_LONGEST_NAME = 80
"""Characters of a name in a message: a file may hold names of any length."""


def some(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many others there are."""
    shown = ", ".join(name[:_LONGEST_NAME] for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _without_masks(found: FileContents) -> FileContents:
    """Undo the reparametrization of `torch.nn.utils.prune`: a mask's zeros become plain zeros."""
    tensors, homes = dict(found.tensors), dict(found.homes)
    for name, value in found.tensors.items():
        stem = name.removesuffix(_ORIGINAL)
        mask = found.tensors.get(stem + _MASK)
        if stem != name and mask is not None and tuple(mask.shape) == tuple(value.shape):
            del tensors[name], tensors[stem + _MASK]
            read = partial(_masked, value, mask)
            tensors[stem] = StoredTensor(tuple(value.shape), value.dtype, True, read)
            homes[stem] = homes[name]
    return FileContents(tensors, homes, found.versions, found.skipped, found.models)


def _masked(value: Value, mask: Value) -> Tensor:
    return read(value).masked_fill(read(mask) == 0, 0)


def read(value: Value) -> Tensor:
    """The values of a tensor of a file; raises FaultError if they are damaged."""
    return value if isinstance(value, Tensor) else value.read()
