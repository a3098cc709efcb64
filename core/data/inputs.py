"""What images a net is given: size, channels, normalisation, where a person has a say in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from core.errors import InputError

Numbers = tuple[float, ...]
"""One for all channels, or one for each."""

Scale = float | Numbers
"""The same as it is computed with: one number is a number."""

CHANNELS = (1, 3)
"""Grey; red, green and blue."""

MOST_PIXELS = 4_096
"""On a side."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is said of the images; None leaves it to the data.

    Attributes:
        image_size: pixels on either side.
        channels: one of `CHANNELS`.
        mean: taken from the pixels, which are scaled to 0..1.
        std: what they are divided by then.

    Raises:
        InputError: a value that is not one of those expected, or two that contradict each other.
    """

    image_size: int | None = None
    channels: int | None = None
    mean: Numbers | None = None
    std: Numbers | None = None

    def __post_init__(self) -> None:
        for name in ("image_size", "channels"):
            if type(value := getattr(self, name)) not in (int, type(None)):
                raise InputError(f"{name} {value!r}: expected a whole number")
        for name in ("mean", "std"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        if self.image_size is not None and not 1 <= self.image_size <= MOST_PIXELS:
            raise InputError(
                f"image size {self.image_size}: expected from 1 to {MOST_PIXELS:,} pixels"
            )
        if self.channels not in (None, *CHANNELS):
            raise InputError(f"{self.channels} channels: expected 1 (grey) or 3 (colours)")
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None:
                _check_numbers(name, numbers)
                self._check_count(name, numbers, self.channels or max(CHANNELS))

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """What `given` has said, also after a way through JSON.

        Raises:
            InputError: it is nothing that `given` says.
        """
        try:
            values: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in facts.items()
            }
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InputError(f"inputs that are not known: {error}") from error

    def given(self) -> dict[str, Any]:
        """What is said."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def flags(self) -> str:
        """The same as the command line takes it; empty where nothing is said."""
        return " ".join(f"{flag(name)} {_written(value)}" for name, value in self.given().items())

    def over(self, other: Inputs) -> Inputs:
        """What is said, and what another says where this is silent.

        What that says of the normalisation means nothing for other channels.
        """
        known = other.given()
        if self.channels not in (None, other.channels):
            known = {name: it for name, it in known.items() if name not in ("mean", "std")}
        return Inputs(**{**known, **self.given()})

    def beyond(self, known: Inputs) -> Inputs:
        """What is said and differs from what is known."""
        same = known.given()
        return Inputs(**{n: it for n, it in self.given().items() if same.get(n) != it})

    def normalisation(self, channels: int, mean: Scale, std: Scale) -> tuple[Scale, Scale]:
        """Mean and standard deviation for images of so many channels, as said or else as given.

        Raises:
            InputError: there are other numbers than channels.
        """
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None:
                self._check_count(name, numbers, channels)
        return _scale(self.mean, mean), _scale(self.std, std)

    @staticmethod
    def _check_count(name: str, numbers: Numbers, channels: int) -> None:
        if len(numbers) not in (1, channels):
            more = f" or {channels}" * (channels > 1)
            raise InputError(
                f"{name} {_written(numbers)}: {len(numbers)} numbers for images of "
                f"{channels} {'channel' if channels == 1 else 'channels'}: expected 1{more}"
            )


def flag(name: str) -> str:
    """What a field is called on the command line."""
    return f"--{name.replace('_', '-')}"


def parse_numbers(name: str, text: str) -> Numbers:
    """Read `0.5`, or `0.485,0.456,0.406`.

    Raises:
        InputError: it is neither.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{flag(name)} {text}: expected a number, or one for each channel such as "
            "0.485,0.456,0.406"
        ) from error


def _numbers(name: str, given: Any) -> Numbers | None:
    """One number or several, as floats."""
    if given is None:
        return None
    try:
        return tuple(float(it) for it in (given if isinstance(given, tuple) else (given,)))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} {given!r}: expected a number, or one for each channel") from error


def _check_numbers(name: str, numbers: Numbers) -> None:
    above = name == "std"
    for number in numbers:
        if not ((number > 0 if above else number >= 0) and number <= 1):  # nor is NaN
            low = "above 0, at most 1" if above else "from 0 to 1"
            hint = "; divide what is for pixels from 0 to 255 by 255" * (1 < number <= 255)
            raise InputError(
                f"{name} {_written(numbers)}: expected numbers {low}, for pixels that are "
                f"scaled to 0..1{hint}"
            )


def _scale(said: Numbers | None, known: Scale) -> Scale:
    if said is None:
        return known
    return said[0] if len(said) == 1 else said


def _written(value: int | Numbers) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return ",".join(repr(part).removesuffix(".0") for part in parts)


AS_THEY_ARE = Inputs()
"""Nothing is said: all is left to the data."""
