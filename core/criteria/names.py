"""The criteria by name. Importing this loads no torch."""

from typing import Literal

from core.errors import InputError, expected_one_of

CriterionName = Literal["magnitude", "wanda", "taylor", "obs", "random"]

CRITERIA: dict[CriterionName, str] = {
    "magnitude": "the size of the weight",
    "wanda": "weight x norm of its inputs",
    "taylor": "weight x gradient of the loss",
    "obs": "output error left at best",
    "random": "a random order, the control",
}
"""Each is a module of this folder, which cites its source."""

MAGNITUDE: CriterionName = "magnitude"
"""The one that needs no images."""


def check_criterion(name: str) -> str:
    """Return a name if a criterion has it; raises InputError otherwise."""
    if name not in CRITERIA:
        raise InputError(f"unknown criterion '{name}': {expected_one_of(name, CRITERIA)}")
    return name
