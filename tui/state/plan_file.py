"""The plan of the last session: a small, untrusted file for each model and data set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs

from core.data.registry import FOLDER, is_folder, short_data_name
from core.experiments.experiment import default_name
from core.nets.zoo import model_spec
from core.system.files import as_utf8, write_text
from core.system.typed_json import Limits, from_plain, to_plain
from core.system.untrusted_json import FaultError, read_json, to_json

if TYPE_CHECKING:
    from core.settings.settings import Settings
    from tui.state.state import State


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan with its locks.

    Attributes:
        sparsity: of each layer, as a fraction.
        locked: the names of the locked layers, sorted.
        base: the digest of the weights the plan is for.
        run: the run that produced them; None if none did.
    """

    sparsity: Mapping[str, Annotated[float, Limits(0, 1)]]
    locked: tuple[str, ...] = ()
    base: str = ""
    run: str | None = None


def plan_to_save(state: State) -> SavedPlan | None:
    """The plan of a state; None if it is the default plan, without locks."""
    if state.base is None or state.dense is None:
        return None
    floors = {profile.layer.name: profile.floor for profile in state.dense.profiles}
    if state.planned == floors and not state.locked:
        return None
    locked = tuple(sorted(state.locked))
    return SavedPlan(state.planned, locked, state.base.digest, state.base.run)


def plan_file(settings: Settings) -> Path:
    """The file for a model and a data set, independent of the current folder."""
    model, dataset = settings.model, settings.dataset
    if model_spec(model).is_user_model:
        net = settings.model_args, "fresh head" if settings.fresh_head else ""
        model = " ".join(filter(None, (str(Path(model).absolute()), *net)))
    if is_folder(dataset):
        dataset = str(Path(dataset.removeprefix(FOLDER)).absolute())
    digest = hashlib.sha256(as_utf8(f"{model}\0{dataset}").encode()).hexdigest()[:8]
    name = default_name(settings.short_name, short_data_name(settings.dataset))
    folder = Path(platformdirs.user_state_dir("featherweight", appauthor=False)) / "plans"
    return folder / f"{name}-{digest}.json"


def save(path: Path, saved: SavedPlan | None) -> None:
    """Write a plan atomically; remove the file if there is no plan.

    Raises:
        OSError: the folder cannot be created, or the file cannot be removed.
        InputError: the file cannot be written.
    """
    if saved is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, to_json(to_plain(saved)))


def load(path: Path, layers: Sequence[str]) -> SavedPlan | None:
    """The saved plan; None if there is none for exactly these layers, or the file is damaged."""
    try:
        saved, _ = from_plain(SavedPlan, read_json(path))
    except FaultError:
        return None
    if saved is None or saved.sparsity.keys() != set(layers):
        return None
    return replace(saved, locked=tuple(sorted(set(layers) & set(saved.locked))))
