"""A net as what a compact file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.codec.compact import Codebook, CompactFile, Steps, Values
from core.codec.state import from_state, raw
from core.errors import InputError
from core.quantising import KINDS
from core.rounding import MOST, Rounded, Shared
from core.settings import DEFAULTS
from core.weights import Weights
from core.workbench import Workbench
from core.zoo import ZOO

EXACT = ("float32", "float16", "bfloat16")
"""Types in which values are kept one by one; float32 loses nothing."""

VALUES = (*EXACT, *KINDS)


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
        if self.levels is not None and not 1 <= self.levels <= MOST:
            raise InputError(f"{self.levels} levels: expected from 1 to {MOST}")
        if self.max_drop is not None and not 0 <= self.max_drop <= 100:
            raise InputError(f"a drop of {self.max_drop}: expected points of accuracy, 0 to 100")
        if not 0 <= self.epochs <= 500:
            raise InputError(f"{self.epochs} epochs: expected from 0 to 500")
        said = self.levels is not None or self.max_drop is not None
        if self.quantises and (self.levels is None) == (self.max_drop is None):
            raise InputError(f"values as {self.values}: expected either levels or a largest drop")
        if not self.quantises and (said or self.epochs):
            raise InputError(
                f"values as {self.values} are not shared: levels, a drop and epochs are for "
                f"{' and '.join(KINDS)}"
            )

    @property
    def quantises(self) -> bool:
        """The weights of a layer share values."""
        return self.values in KINDS


def packed(
    bench: Workbench, weights: Weights, values: str, rounded: Mapping[str, Rounded]
) -> CompactFile:
    """What a compact file of a net holds.

    Args:
        bench: that the net is of.
        weights: a state_dict.
        values: one of `VALUES`.
        rounded: the tensors that are quantised, by name.

    Raises:
        InputError: a file cannot hold a tensor's type.
    """

    def keep(name: str, tensor: Tensor) -> Values | None:
        if name in rounded:
            return _values(rounded[name])
        if values in EXACT and tensor.dtype == torch.float32:
            return raw(tensor.to(getattr(torch, values)))
        return None

    model = bench.settings.model
    return from_state(weights, model if model in ZOO else "", facts_of(bench), keep)


def facts_of(bench: Workbench) -> dict[str, Any]:
    """What tells which images a net is for, where its name does not."""
    settings = bench.settings
    facts: dict[str, Any] = {}
    if settings.dataset != (bench.spec.dataset or DEFAULTS.dataset):
        facts["dataset"] = settings.dataset
    if settings.protocol != DEFAULTS.protocol:
        facts["protocol"] = settings.protocol
    if said := settings.inputs.given():
        facts["inputs"] = said
    return facts


def _values(rounded: Rounded) -> Values:
    if not isinstance(rounded, Shared):
        return Steps(rounded.step, rounded.counts.numpy())
    used = torch.unique(rounded.values[rounded.codes])
    used = used[used != 0]
    if not len(used):
        used = torch.ones(1)
    flat = rounded.tensor().flatten()
    codes = torch.where(flat == 0, 0, 1 + torch.searchsorted(used, flat))
    plain = codes.to(torch.int16).reshape(rounded.shape).numpy()
    return Codebook("bfloat16", used.numpy().astype(np.float32), plain)
