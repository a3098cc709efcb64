"""A plan as it was left: a small file for each model and data set, read without trust."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from core.datasets import short_data_name
from core.datasets.registry import FOLDER, is_folder
from core.experiment import default_name
from core.facts import FaultError, read_json, to_json
from core.files import write_text
from core.plans import Plan
from core.settings import Settings
from core.zoo import model_spec, short_name
from tui.unchecked import mapping, number, text

if TYPE_CHECKING:
    from tui.state import State


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """Sparsities and locks.

    Attributes:
        base: digest of the weights that the plan was for.
        run: the run that produced them; None where none did.
    """

    plan: Plan
    locked: frozenset[str] = frozenset()
    base: str = ""
    run: str | None = None


def plan_of(state: State) -> SavedPlan | None:
    """What is worth saving: None while it is the plan that a start begins with."""
    if state.base is None or state.dense is None:
        return None
    floors = {profile.layer.name: profile.floor for profile in state.dense.profiles}
    if state.planned == floors and not state.locked:
        return None
    return SavedPlan(state.planned, state.locked, state.base.digest, state.base.run)


def plan_file(settings: Settings) -> Path:
    """The file of a model and a data set, wherever the program is started."""
    model, dataset = settings.model, settings.dataset
    named = model if not model_spec(model).is_own else str(Path(model).absolute())
    if is_folder(dataset):
        dataset = str(Path(dataset.removeprefix(FOLDER)).absolute())
    digest = hashlib.sha256(f"{named}\0{dataset}".encode()).hexdigest()[:8]
    name = default_name(short_name(model), short_data_name(settings.dataset))
    folder = Path(platformdirs.user_state_dir("featherweight", appauthor=False)) / "plans"
    return folder / f"{name}-{digest}.json"


def save(path: Path, saved: SavedPlan | None) -> None:
    """Write a plan, whole or not at all; of None, remove the file.

    Raises:
        OSError: the folder cannot be made, or the file cannot be removed.
        InputError: the file cannot be written.
    """
    if saved is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    base = {"digest": saved.base, "run": saved.run}
    facts = {"sparsity": saved.plan, "locked": sorted(saved.locked), "base": base}
    write_text(path, to_json(facts))


def load(path: Path, layers: Sequence[str]) -> SavedPlan | None:
    """The plan that was saved; None without one for these layers, or where the file is damaged."""
    try:
        facts = read_json(path)
    except FaultError:
        return None
    sparsities = {name: number(it, high=1.0) for name, it in mapping(facts, "sparsity").items()}
    plan = {name: it for name in layers if (it := sparsities.get(name)) is not None}
    if not plan or plan.keys() != sparsities.keys() or len(plan) != len(layers):
        return None
    locked, base = facts.get("locked"), mapping(facts, "base")
    held = frozenset(name for name in layers if isinstance(locked, list) and name in locked)
    return SavedPlan(plan, held, text(base.get("digest")) or "", text(base.get("run")))
