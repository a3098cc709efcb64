"""The number formats nets compute in; loads no torch."""

from typing import Literal, get_args

Precision = Literal["fp32", "bf16"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
