"""What the user can set about the images: size, channels, normalization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from core.errors import InputError
from core.fields.declaration import check_fields, given, setting, settings_in
from core.fields.kinds import integer, number, one_of, per_channel

PerChannel = tuple[float, ...]
"""One for all channels, or one for each."""

Scale = float | PerChannel
"""The same for computing, with a single number as a float."""

CHANNELS = {1: "grayscale", 3: "color"}

MOST_PIXELS = 4_096
"""Largest side of an image."""

_SCALED = " (of pixels scaled to 0..1: divide values for 0..255 by 255)"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is given of the images; None leaves it to the data.

    Attributes:
        image_size: pixels on either side.
        channels: one of `CHANNELS`.
        mean: subtracted from the pixels, which are scaled to 0..1.
        std: what they are divided by then.

    Raises:
        InputError: a value that is not one of those expected, or two that contradict each other.
    """

    UNSET: ClassVar[str] = "from the data"

    image_size: int | None = setting(
        None, integer(1, MOST_PIXELS), "image width and height in pixels"
    )
    channels: int | None = setting(None, one_of(CHANNELS), "image channels")
    mean: PerChannel | None = setting(
        None,
        per_channel(number(0, 1), CHANNELS, _SCALED),
        "mean to subtract from pixels scaled to 0..1",
    )
    std: PerChannel | None = setting(
        None,
        per_channel(number(0, 1, above=True), CHANNELS, _SCALED),
        "standard deviation to divide them by",
    )

    def __post_init__(self) -> None:
        check_fields(self)
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None:
                self._check_count(name, numbers, self.channels or max(CHANNELS))

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """What `given` returned, also after a round trip through JSON.

        Raises:
            InputError: it is nothing that `given` returns.
        """
        try:
            return cls(**facts)
        except TypeError as error:
            raise InputError(f"unknown image settings: {error}") from error

    def given(self) -> dict[str, Any]:
        """What is given, by name."""
        return given(self)

    @property
    def flags(self) -> str:
        """The same as command-line options; empty if nothing is set."""
        known = settings_in(Inputs)
        return " ".join(
            f"{known[name].flag} {known[name].kind.shown(value)}"
            for name, value in self.given().items()
        )

    def over(self, other: Inputs) -> Inputs:
        """These settings, completed from `other`.

        The other's normalization is dropped if the channels differ.
        """
        known = other.given()
        if self.channels not in (None, other.channels):
            known = {name: it for name, it in known.items() if name not in ("mean", "std")}
        return Inputs(**{**known, **self.given()})

    def beyond(self, known: Inputs) -> Inputs:
        """The settings that differ from `known`."""
        same = known.given()
        return Inputs(**{n: it for n, it in self.given().items() if same.get(n) != it})

    def normalization(self, channels: int, mean: Scale, std: Scale) -> tuple[Scale, Scale]:
        """Mean and standard deviation for this many channels: these settings or the defaults.

        Raises:
            InputError: the number of values does not match the channels.
        """
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None:
                self._check_count(name, numbers, channels)
        return _scale(self.mean, mean), _scale(self.std, std)

    @staticmethod
    def _check_count(name: str, numbers: PerChannel, channels: int) -> None:
        if len(numbers) not in (1, channels):
            more = f" or {channels}" * (channels > 1)
            raise InputError(
                f"{name} of {len(numbers)} numbers for images of "
                f"{channels} {'channel' if channels == 1 else 'channels'}: expected 1{more}"
            )


def _scale(said: PerChannel | None, known: Scale) -> Scale:
    if said is None:
        return known
    return said[0] if len(said) == 1 else said


DEFAULT_INPUTS = Inputs()
"""No settings: everything is left to the data."""
