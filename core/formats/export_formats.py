"""The formats that a net is written in, and how a compact file may keep its values.

Nothing here loads torch: it says what can be asked for, and what cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError

COMPACT, SAFETENSORS, ONNX = ".fw", ".safetensors", ".onnx"

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
"""How the names of files of weights end that torch.save has written."""

SUFFIXES = (COMPACT, SAFETENSORS, *PICKLES[:2], ONNX)
"""The formats that a net is written in, by how the name of a file ends."""

EXACT = ("float32", "float16", "bfloat16")
"""Types in which values are kept one by one; float32 loses nothing."""

SHARED = ("codebook", "steps")
"""Kinds of values that the weights of a layer share, see `core.jobs.quantization`."""

VALUES = (*EXACT, *SHARED)

LEVELS = (2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 128, 256)
"""Numbers of values that are tried, from the smallest file to the most exact net."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How the values of a net are kept in a compact file.

    Attributes:
        values: one of `VALUES`.
        levels: how many values the weights of a layer share; None for none, or as few as
            `max_drop` allows.
        max_drop: points of validation accuracy that quantising may cost.
        epochs: of training the shared values, where it helps.

    Raises:
        InputError: these contradict each other, or are not among what is expected.
    """

    values: str = "float32"
    levels: int | None = None
    max_drop: float | None = None
    epochs: int = 0

    def __post_init__(self) -> None:
        if self.values not in VALUES:
            raise InputError(f"values '{self.values}': expected one of {', '.join(VALUES)}")
        if self.levels is not None and not 2 <= self.levels <= LEVELS[-1]:
            raise InputError(f"{self.levels} levels: expected from 2 to {LEVELS[-1]}")
        if self.max_drop is not None and not 0 <= self.max_drop <= 100:
            raise InputError(f"a drop of {self.max_drop}: expected points of accuracy, 0 to 100")
        if not 0 <= self.epochs <= 500:
            raise InputError(f"{self.epochs} epochs: expected from 0 to 500")
        said = self.levels is not None or self.max_drop is not None
        if self.quantises and (self.levels is None) == (self.max_drop is None):
            raise InputError(
                f"values as {self.values}: expected either levels or a largest drop (--levels N or "
                "--max-drop POINTS)"
            )
        if not self.quantises and (said or self.epochs):
            raise InputError(
                f"values as {self.values} are not shared: levels, a drop and epochs of tuning "
                f"are for {' and '.join(SHARED)} (--values)"
            )

    @property
    def quantises(self) -> bool:
        """The weights of a layer share values."""
        return self.values in SHARED


def check_target(to: Path, packing: Packing) -> None:
    """Raise InputError for a file that a net cannot be written to so."""
    if to.suffix not in SUFFIXES:
        raise InputError(f"'{to}': expected a name that ends with one of {', '.join(SUFFIXES)}")
    if to.suffix != COMPACT and packing != Packing():
        raise InputError(f"'{to}' keeps every value as it is: quantised nets go to {COMPACT} files")
