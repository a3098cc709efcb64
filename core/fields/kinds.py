"""Kinds of values a setting accepts: names, numbers in a range, switches, paths."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import InputError


@dataclass(frozen=True)
class Kind:
    """The values a setting accepts.

    Attributes:
        values: for help and tables, such as `1 to 100`; empty if they are obvious.
        expected: for messages, such as `a whole number from 1 to 100`.
        metavar: stands for a value in the help.
        accepts: whether a value is one of them, and of the right type.
        stored: converts an accepted value to the type it is stored in.
        from_text: converts text to a value; raises ValueError or returns one not accepted.
        step: the value a number of steps away, for a form's arrow keys.
        shown: formats a value for display.
        meanings: of single values, by value; empty if the setting's own meaning is enough.
    """

    values: str
    expected: str
    metavar: str
    accepts: Callable[[Any], bool]
    from_text: Callable[[str], Any]
    stored: Callable[[Any], Any] = lambda value: value
    step: Callable[[Any, int], Any] = lambda value, _: value
    shown: Callable[[Any], str] = lambda value: (
        f"{value:g}" if isinstance(value, float) else str(value)
    )
    meanings: Mapping[Any, str] = field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether a value is a number."""
        return self.metavar in ("N", "X") and not self.meanings

    @property
    def description(self) -> str:
        """The values, each with its meaning."""
        texts = (
            f"{value} ({text})" if text else str(value) for value, text in self.meanings.items()
        )
        return ", ".join(texts) or self.values

    def read(self, value: Any) -> Any:
        """Convert a value from a script or a file; raises InputError if it is not accepted."""
        if not self.accepts(value):
            raise InputError(f"expected {self.expected}")
        return self.stored(value)

    def parse(self, text: str) -> Any:
        """Parse a value from the command line; raises InputError if it is not accepted."""
        try:
            return self.read(self.from_text(text))
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f"expected {self.expected}") from error


def one_of(options: Collection[Any]) -> Kind:
    """One of a few names or numbers; a mapping gives each its meaning, which may be empty."""
    known, spelled = tuple(options), {str(option): option for option in options}
    listed = ", ".join(spelled)
    return Kind(
        values=listed,
        expected=f"one of {listed}",
        metavar="NAME" if all(type(option) is str for option in known) else "N",
        accepts=lambda value: any(type(value) is type(one) and value == one for one in known),
        from_text=spelled.get,
        step=lambda value, steps: known[(known.index(value) + steps) % len(known)],
        meanings=options if isinstance(options, Mapping) else {},
    )


def some_of(options: Mapping[Any, str], nothing: str) -> Kind:
    """None or some of a few names, each with its meaning; stored as a tuple in their order.

    Text names them with commas between; the arrow keys step through all selections. `nothing` is
    the meaning of none.
    """
    known = tuple(options)
    selections = [
        tuple(name for place, name in enumerate(known) if number >> place & 1)
        for number in range(2 ** len(known))
    ]

    def parts(value: Any) -> Sequence[Any]:
        names = value.split(",") if isinstance(value, str) else value
        return () if names == ["none"] else names

    return Kind(
        values=f"none, or some of {', '.join(known)}",
        expected=f"none, or some of {', '.join(known)} with commas between",
        metavar="NAME,...",
        accepts=lambda value: (
            isinstance(value, (str, list, tuple)) and all(name in known for name in parts(value))
        ),
        from_text=lambda text: text,
        stored=lambda value: tuple(name for name in known if name in parts(value)),
        step=lambda value, steps: selections[(selections.index(value) + steps) % len(selections)],
        shown=lambda value: ",".join(value) or "none",
        meanings={"none": nothing, **options},
    )


def switch() -> Kind:
    """On or off."""
    return Kind(
        values="",
        expected="true or false",
        metavar="",
        accepts=lambda value: type(value) is bool,
        from_text={"true": True, "false": False}.get,
        step=lambda value, _: not value,
        shown=lambda value: "yes" if value else "no",
    )


def number(
    least: float,
    most: float,
    *,
    above: bool = False,
    below: bool = False,
    series: Sequence[float] = (),
) -> Kind:
    """A number in a range, stored as a float.

    `above` excludes `least`, `below` excludes `most`; the arrow keys step through `series`, which
    is ascending.
    """
    span = f"{least:,} to {'below ' if below else ''}{most:,}"
    if above:
        span = f"above {least:,}, at most {most:,}"

    def accepts(value: Any) -> bool:  # NaN is out of every range
        return (
            type(value) in (int, float)
            and (value > least if above else value >= least)
            and (value < most if below else value <= most)
        )

    return Kind(
        values=span,
        expected=f"a number {'' if above else 'from '}{span}",
        metavar="X",
        accepts=accepts,
        from_text=float,
        stored=float,
        step=lambda value, steps: step_along(series, value, steps),
    )


def integer(least: int, most: int, series: Sequence[int] = ()) -> Kind:
    """A whole number in a range; without a series, the arrow keys step by one."""

    def step(value: int, steps: int) -> int:
        if series:
            return int(step_along(series, value, steps))
        return min(max(value + steps, least), most)

    span = f"{least:,} to {'2^63 - 1' if most == 2**63 - 1 else f'{most:,}'}"
    return Kind(
        values=span,
        expected=f"a whole number from {span}",
        metavar="N",
        accepts=lambda value: type(value) is int and least <= value <= most,
        from_text=int,
        step=step,
    )


def number_or_all() -> Kind:
    """A whole number from 1, or the word `all`."""
    return Kind(
        values="a number, or all",
        expected="a whole number from 1, or all",
        metavar="N",
        accepts=lambda value: value == "all" or (type(value) is int and value > 0),
        from_text=lambda text: text if text == "all" else int(text),
    )


def per_channel(each: Kind, counts: Collection[int], hint: str) -> Kind:
    """One number for all channels of an image or one for each, stored as a tuple.

    An image has one of `counts` channels; `hint` completes what a message says is expected.
    """

    def parts(value: Any) -> Sequence[Any]:
        return value if isinstance(value, (list, tuple)) else (value,)

    return replace(
        each,
        expected=f"{each.expected}, or one for each channel such as 0.485,0.456,0.406{hint}",
        metavar="X[,X,X]",
        accepts=lambda value: (
            len(parts(value)) in (1, *counts) and all(map(each.accepts, parts(value)))
        ),
        from_text=lambda text: tuple(map(float, text.split(","))),
        stored=lambda value: tuple(map(float, parts(value))),
        shown=lambda value: ",".join(repr(part).removesuffix(".0") for part in value),
    )


def text(values: str) -> Kind:
    """Any text; `values` describes the meaningful ones."""
    return Kind(values, "text in quotes", "NAME", lambda value: isinstance(value, str), str)


def path(metavar: str, values: str = "") -> Kind:
    """The path of a file or folder."""
    return Kind(values, "a path", metavar, lambda value: isinstance(value, Path), Path)


def step_along(series: Sequence[float], value: float, steps: int) -> float:
    """The member of an ascending series `steps` places from a value, which may lie between two."""
    slack = 1e-9 * value
    below = sum(member < value - slack for member in series)
    between = not any(abs(member - value) <= slack for member in series)
    place = below + steps - (between and steps > 0)
    return float(series[min(max(place, 0), len(series) - 1)])
