"""The names of a file's tensors and those of a net: which prefix makes them meet.

Training scripts put a prefix before every name: nn.DataParallel `module.`, torch.compile
`_orig_mod.`, Lightning the name of an attribute; and they put a state_dict under keys, which count
as a prefix here: `state_dict.module.`. The right prefix is the one under which most names are the
net's. A net may have a prefix that the file lacks, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]

_WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module"})
"""Parts of names that wrappers of single modules add."""

_AVERAGES = ("ema", "swa", "averag", "teacher", "shadow", "momentum")
"""In the names of copies that training keeps beside the net."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A way to make names meet.

    Attributes:
        prefix: before each name of the file.
        own: before each name of the net, and missing in the file.
        plain: the file's names, by what they are without the parts that wrappers add.
        names: the file's name of each name of the net that has one.
        fitting: how many of them have the net's shape, too.
    """

    prefix: str
    own: str
    plain: Mapping[str, str]
    names: Mapping[str, str]
    fitting: int

    @property
    def is_average(self) -> bool:
        """Whether it is a copy that training keeps beside the net."""
        return any(word in self.prefix.lower() for word in _AVERAGES)

    @property
    def key(self) -> str:
        """The prefix for a message."""
        return f"'{self.prefix.rstrip('.')}'" if self.prefix else "the top level"

    def under_prefix(self) -> dict[str, str]:
        """All names of the file under the prefix, by what they would be called in the net."""
        start = len(self.prefix)
        named = self.plain.items()
        return {self.own + key[start:]: name for key, name in named if key.startswith(self.prefix)}


def matches(stored: Mapping[str, Shape], expected: Mapping[str, Shape]) -> Sequence[Match]:
    """The ways in which most names meet, the most likely one first; never none."""
    found = [
        _match(stored, expected, plain, prefix, own)
        for plain in ({name: name for name in stored}, _unwrapped(stored, expected))
        for own in _common_prefixes(expected)
        for prefix in _prefixes(plain, expected, own)
    ]
    best = max((match.fitting, len(match.names)) for match in found)
    rivals: dict[frozenset[str], Match] = {}
    for match in found:
        if (match.fitting, len(match.names)) == best:
            rivals.setdefault(frozenset(match.names.values()), match)
    return sorted(rivals.values(), key=lambda match: (match.is_average, match.prefix.count(".")))


def _match(
    stored: Mapping[str, Shape],
    expected: Mapping[str, Shape],
    plain: Mapping[str, str],
    prefix: str,
    own: str,
) -> Match:
    wanted = {name: prefix + name.removeprefix(own) for name in expected}
    met = {name: plain[key] for name, key in wanted.items() if key in plain}
    fitting = sum(stored[key] == expected[name] for name, key in met.items())
    return Match(prefix, own, plain, met, fitting)


def _prefixes(plain: Mapping[str, str], expected: Mapping[str, Shape], own: str) -> list[str]:
    """The prefixes of the file's names under which many are the net's without `own`."""
    wanted = {name.removeprefix(own) for name in expected}
    votes = Counter({"": 0})
    for name in plain:
        votes.update(name[:start] for start in _starts(name) if name[start:] in wanted)
    most = max(votes.values())
    return [prefix for prefix, count in votes.items() if 2 * count >= most]


def _starts(name: str) -> Iterator[int]:
    """Where the parts of a dotted name start."""
    start = 0
    while True:
        yield start
        if not (start := name.find(".", start) + 1):
            return


def _common_prefixes(names: Mapping[str, Shape]) -> Iterator[str]:
    """The prefixes that all names share, from none to the longest."""
    first = min(names, default="")
    for start in _starts(first):
        if not all(name.startswith(first[:start]) for name in names):
            return
        yield first[:start]


def _unwrapped(stored: Mapping[str, Shape], expected: Mapping[str, Shape]) -> dict[str, str]:
    """The file's names by what they are without the parts that wrappers add."""
    added = _WRAPPERS - {part for name in expected for part in name.split(".")}
    plain: dict[str, str] = {}
    for name in stored:
        plain.setdefault(".".join(part for part in name.split(".") if part not in added), name)
    return plain
