"""A pickle as plain data.

A pickle is a program for a stack machine. This machine builds numbers, text, tuples, lists and
dicts. Anything else stays a description that nothing imports or calls: `Global` names a class or
function, `Made` holds what it would be called with. Sets become lists, so that nothing is hashed
but names and numbers.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, NamedTuple, cast

from core.system.untrusted_json import FaultError

MOST_STEPS = 1 << 22
"""Most steps of the machine: some seconds. A net of 10,000 tensors takes 300,000."""

_AT_ONCE = 1 << 20
"""Bytes that are read without asking whether the file has as many."""


@dataclass(frozen=True, slots=True, eq=False)
class Global:
    """A class or function by its full name; never imported."""

    name: str


@dataclass(slots=True, eq=False)
class Made:
    """What a call would return: the function or class, its arguments, and what was added later.

    Attributes:
        state: given to the object's `__setstate__`, or stored in its `__dict__`.
        items: of a subclass of dict.
        elements: of a subclass of list or set.
    """

    function: Any
    args: Any
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    elements: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The full name of the class or function; of a call's result, that of what was called."""
        function = self.function
        while isinstance(function, Made):
            function = function.function
        match function:
            case Persistent(id=("module", Global() as function, *_)):  # so torch stored classes
                pass
        return function.name if isinstance(function, Global) else "an unknown object"


@dataclass(frozen=True, slots=True, eq=False)
class Persistent:
    """An object stored outside the pickle, such as a storage, by its id."""

    id: Any


class Pickle(NamedTuple):
    """The object in a pickle, and the ids of what is stored outside it, in order."""

    root: Any
    persistent: tuple[Persistent, ...]


def read_pickle(file: BinaryIO, size: int) -> Pickle:
    """Read the pickle that starts here in a file of `size` bytes; the file is left behind it.

    Raises FaultError if it is damaged or takes too many steps.
    """
    machine = _Machine()
    try:
        root = machine.run(pickletools.genops(cast(IO[bytes], _Bounded(file, size))))
    except (ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        raise FaultError("its pickle is damaged") from error
    return Pickle(root, tuple(machine.persistent))


class _Bounded:
    """A file that never reserves memory for more bytes than it has."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.readline, self.tell = file.readline, file.tell
        self._file, self._size = file, size

    def read(self, count: int) -> bytes:
        if count > _AT_ONCE:
            count = min(count, self._size - self._file.tell())
        return self._file.read(count)


class _Machine:
    """The stack machine; its operations raise LookupError or TypeError for a damaged pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.persistent: list[Persistent] = []

    def run(self, steps: Iterator[tuple[Any, Any, int | None]]) -> Any:
        for count, (opcode, argument, _) in enumerate(steps):
            if count == MOST_STEPS:
                raise FaultError(f"its pickle has more than {MOST_STEPS:,} steps")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.arg is None or opcode.name in _OPERATIONS:
                _OPERATIONS[opcode.name](self, argument)
            else:  # its argument is a number or text
                self.stack.append(argument)
        raise FaultError("its pickle has no end")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """Pop everything above the last mark."""
        items, self.stack = self.stack, self.outer.pop()
        return items

    def mark(self, _: Any) -> None:
        self.outer.append(self.stack)
        self.stack = []

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def tuple_of(self, count: int) -> None:
        self.push(tuple(reversed([self.stack.pop() for _ in range(count)])))

    def global_(self, argument: str) -> None:
        self.push(Global(".".join(argument.split(" ", 1))))

    def stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise TypeError
        self.push(Global(f"{module}.{name}"))

    def instance(self, argument: str) -> None:
        args = tuple(self.since_mark())
        self.global_(argument)
        self.push(Made(self.stack.pop(), args))

    def object_(self, _: Any) -> None:
        function, *args = self.since_mark()
        self.push(Made(function, tuple(args)))

    def call(self, _: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.push(Made(function, args))

    def call_with_names(self, _: Any) -> None:
        self.stack.pop()
        self.call(None)

    def build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Made):
            target.state = state

    def outside(self, key: Any) -> None:
        self.persistent.append(Persistent(key))
        self.push(self.persistent[-1])

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        (target.elements if isinstance(target, Made) else _checked(target, list)).extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        into = target.items if isinstance(target, Made) else _checked(target, dict)
        into.update(_paired(items))


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value


def _paired(items: list[Any]) -> Iterable[tuple[Any, Any]]:
    keys = (key if isinstance(key, _KEYS) else object() for key in items[::2])
    return zip(keys, items[1::2], strict=True)


_KEYS = (str, bytes, int, float, type(None))
"""Keys whose hash takes no time; any other is replaced by one that nothing equals."""

_OPERATIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_SET": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": lambda machine, _: machine.since_mark().clear(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "LIST": lambda machine, _: machine.push(machine.since_mark()),
    "FROZENSET": lambda machine, _: machine.push(machine.since_mark()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "DICT": lambda machine, _: machine.push(dict(_paired(machine.since_mark()))),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(
        [machine.stack.pop(), machine.stack.pop()][::-1]
    ),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    **dict.fromkeys(
        ("PUT", "BINPUT", "LONG_BINPUT"),
        lambda machine, key: machine.memo.__setitem__(key, machine.stack[-1]),
    ),
    "MEMOIZE": lambda machine, _: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    **dict.fromkeys(
        ("GET", "BINGET", "LONG_BINGET"), lambda machine, key: machine.push(machine.memo[key])
    ),
    "GLOBAL": _Machine.global_,
    "STACK_GLOBAL": _Machine.stack_global,
    **dict.fromkeys(
        ("EXT1", "EXT2", "EXT4"), lambda machine, code: machine.push(Global(f"extension {code}"))
    ),
    "INST": _Machine.instance,
    "OBJ": _Machine.object_,
    "NEWOBJ": _Machine.call,
    "NEWOBJ_EX": _Machine.call_with_names,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
    "PERSID": _Machine.outside,
    "BINPERSID": lambda machine, _: machine.outside(machine.stack.pop()),
}
