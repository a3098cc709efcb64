"""Image settings: size, channels, normalization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from core.errors import InputError
from core.fields.declaration import check_fields, explicit_values, setting, settings_in
from core.fields.kinds import integer, number, one_of, per_channel

PerChannel = tuple[float, ...]
"""One number for all channels, or one for each."""

Scale = float | PerChannel
"""The same, with a single number as a float."""

CHANNELS = {1: "grayscale", 3: "color"}

_HINT = " (of pixels scaled to 0..1: divide values for 0..255 by 255)"
_MEAN = per_channel(number(0, 1), CHANNELS, _HINT)
_STD = per_channel(number(0, 1, above=True), CHANNELS, _HINT)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Image settings; None leaves a setting to the data.

    Raises InputError if a value is invalid, or two contradict each other.
    """

    UNSET: ClassVar[str] = "from the data"

    image_size: int | None = setting(None, integer(1, 4_096), "image width and height in pixels")
    channels: int | None = setting(None, one_of(CHANNELS), "image channels")
    mean: PerChannel | None = setting(None, _MEAN, "mean to subtract from pixels scaled to 0..1")
    std: PerChannel | None = setting(None, _STD, "standard deviation of pixels scaled to 0..1")

    def __post_init__(self) -> None:
        check_fields(self)
        self._check_counts(self.channels or max(CHANNELS))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Build from what `explicit_values` returns, also after a round trip through JSON.

        Raises InputError if a setting is unknown or invalid.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise InputError(f"unknown image settings: {error}") from error

    def explicit_values(self) -> dict[str, Any]:
        """The settings that are not None, by name."""
        return explicit_values(self)

    @property
    def flags(self) -> str:
        """The same as command-line options; empty if nothing is set."""
        known = settings_in(Inputs)
        return " ".join(
            f"{known[name].flag} {known[name].kind.shown(value)}"
            for name, value in self.explicit_values().items()
        )

    def over(self, other: Inputs) -> Inputs:
        """These settings, completed from `other`.

        The other's normalization is dropped if the channels differ.
        """
        if self.channels not in (None, other.channels):
            other = replace(other, mean=None, std=None)
        return Inputs(**(other.explicit_values() | self.explicit_values()))

    def beyond(self, known: Inputs) -> Inputs:
        """The settings that differ from `known`."""
        return Inputs(**dict(self.explicit_values().items() - known.explicit_values().items()))

    def normalization(self, channels: int, mean: Scale, std: Scale) -> tuple[Scale, Scale]:
        """Mean and standard deviation for this many channels: these settings or the defaults.

        Raises InputError if the number of values does not match the channels.
        """
        self._check_counts(channels)
        return _scale(self.mean, mean), _scale(self.std, std)

    def _check_counts(self, channels: int) -> None:
        for name, numbers in (("mean", self.mean), ("std", self.std)):
            if numbers is not None and len(numbers) not in (1, channels):
                plural, more = ("s", f" or {channels}") if channels > 1 else ("", "")
                raise InputError(
                    f"{name} has {len(numbers)} numbers for images with {channels} "
                    f"channel{plural}: expected 1{more}"
                )


def _scale(numbers: PerChannel | None, default: Scale) -> Scale:
    if numbers is None:
        return default
    return numbers[0] if len(numbers) == 1 else numbers


DEFAULT_INPUTS = Inputs()
"""Nothing set: everything is left to the data."""
