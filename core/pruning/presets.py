"""Preset plans, by net."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.errors import InputError
from core.pruning.han2015 import HAN2015
from core.pruning.plans import Plan, uniform_plan


class Preset(NamedTuple):
    """A preset plan: a sparsity for each layer, in order, or one for all, and a description."""

    sparsities: tuple[float, ...] | float
    meaning: str

    def fits(self, layers: Sequence[str]) -> bool:
        """Whether it has a sparsity for each of these layers."""
        return isinstance(self.sparsities, float) or len(self.sparsities) == len(layers)


_UNIFORM = Preset(0.68, "68 % in every layer")

_CNN5: Mapping[str, Preset] = {
    "moderate": Preset((0.55, 0.80, 0.90, 0.90, 0.60), "55, 80, 90, 90 and 60 %, layer by layer"),
    "aggressive": Preset((0.65, 0.95, 0.98, 0.98, 0.90), "65, 95, 98, 98 and 90 %, layer by layer"),
    "uniform": _UNIFORM,
}
"""The plans of the reference experiment."""

_WAY = "; the others are for built-in nets: use --ratio X or --uniform SPARSITY"
"""How to plan for a net that has no preset of its own."""


def presets_of(model: str) -> Mapping[str, Preset]:
    """The preset plans of a net, in menu order."""
    if model == "cnn5":
        return _CNN5
    if model not in HAN2015:
        return {"uniform": _UNIFORM}
    paper = HAN2015[model]
    meaning = f"{paper.title} of Han et al. (2015), who report {paper.rate}x"
    return {"han2015": Preset(paper.plan, meaning), "uniform": _UNIFORM}


def default_preset(model: str) -> str:
    """The preset plan used by default."""
    return "aggressive" if model == "cnn5" else next(iter(presets_of(model)))


def preset_plan(name: str, model: str, layers: Sequence[str]) -> Plan:
    """The preset plan `name` of a net with these layers; raises InputError if there is none."""
    presets = presets_of(model)
    if name not in presets:
        names = ", ".join(presets)
        way = "" if len(presets) > 1 else _WAY
        raise InputError(f"unknown preset '{name}' of {model}: expected one of {names}{way}")
    sparsities = presets[name].sparsities
    if isinstance(sparsities, float):
        return uniform_plan(sparsities, layers)
    return dict(zip(layers, sparsities, strict=True))
