"""The export formats, and the ways a compact file can store values; loads no torch."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.fields.declaration import check_fields, setting
from core.fields.kinds import integer, number, one_of

COMPACT, SAFETENSORS, ONNX = ".fw", ".safetensors", ".onnx"

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
"""Extensions of weights files written by torch.save."""

SUFFIXES = (COMPACT, SAFETENSORS, *PICKLES[:2], ONNX)
"""The export formats, by file extension; `core.jobs.export` writes each."""

EXACT = ("float32", "float16", "bfloat16")
"""Types that store each value on its own; float32 is exact."""

QUANTIZED = ("codebook", "steps")
"""Types whose values the weights of a layer share, see `core.jobs.quantization`."""

VALUES = {
    "codebook": "a few, by k-means",
    "steps": "a few, evenly spaced",
    "float32": "exact",
    "float16": "16 bits, more digits",
    "bfloat16": "16 bits, more range",
}
"""Ways to store values, each in at most 20 characters: the export dialog has no more at 60x20."""

LEVELS = (2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 64, 128, 256)
"""Numbers of levels to try, from the smallest file to the most accurate net."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How a compact file stores a net's values; raises InputError if the settings do not fit.

    `levels` is None if values are not shared, or for as few levels as `max_drop` allows.
    """

    values: str = setting("float32", one_of(VALUES), "how values are stored")
    levels: int | None = setting(
        None, integer(LEVELS[0], LEVELS[-1], LEVELS), "number of values a layer's weights share"
    )
    max_drop: float | None = setting(
        None,
        number(0, 100, series=(0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)),
        "largest allowed drop in validation accuracy (points)",
    )
    epochs: int = setting(
        0,
        integer(0, 500),
        "epochs to train the shared values (with --max-drop: only if close to passing)",
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if self.quantizes and self.levels is self.max_drop is None:
            raise InputError(f"--values {self.values} needs either --levels N or --max-drop POINTS")
        if self.quantizes and None not in (self.levels, self.max_drop):
            raise InputError("give either --levels N or --max-drop POINTS, not both")
        if not self.quantizes and (self.levels, self.max_drop, self.epochs) != (None, None, 0):
            raise InputError(
                f"--values {self.values} shares no values: levels, a maximum drop and tuning "
                f"need --values {' or '.join(QUANTIZED)}"
            )

    @property
    def quantizes(self) -> bool:
        """Whether the weights of a layer share values."""
        return self.values in QUANTIZED


def check_target(to: Path, packing: Packing) -> None:
    """Raise InputError if `to` cannot hold a net with this packing."""
    if to.suffix not in SUFFIXES:
        raise InputError(f"'{to}': expected a name ending in one of {', '.join(SUFFIXES)}")
    if to.suffix != COMPACT and packing != Packing():
        raise InputError(f"'{to}' stores exact values only: quantized nets need a {COMPACT} file")
