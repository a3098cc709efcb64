"""All settings of a run except the plan, checked before anything heavy is loaded."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.data.folders.disk_budget import BUDGET, format_bytes, parse_bytes
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.registry import DATASETS, FOLDER, PROTOCOLS, check_name, is_same_data
from core.fields.declaration import check_fields, local_setting, setting, settings_in
from core.fields.kinds import Kind, integer, one_of, path, switch, text
from core.nets.model_args import MODEL_ARGS
from core.nets.user_code.names import FORMS
from core.nets.zoo import ZOO, is_same_model, model_spec, short_name
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.system.number_formats import PRECISIONS
from core.training.recipes import RECIPE_MEANINGS, Phase, Recipe, TrainingSize, recipe_named

_PRECISIONS = dict.fromkeys(("auto", *PRECISIONS), "") | {"auto": "bf16 where it is faster"}
DEVICES: Collection[str] = {"auto": "a GPU if there is one", "cpu": "", "cuda": "", "mps": ""}

ON, OFF = "on", "off"
_RECALIBRATE = {ON: "computed anew on training images", OFF: "left stale, for comparison"}

RECALIBRATE, RECONSTRUCT = "recalibrate", "reconstruct"
_REPAIR = {
    RECALIBRATE: "as --recalibrate says",
    RECONSTRUCT: "each layer alone, on training images",
}

_BYTES = Kind(
    values="",
    expected="a size such as 20GiB or 500MB",
    metavar="SIZE",
    accepts=lambda value: type(value) is int and value > 0,
    from_text=parse_bytes,
    shown=format_bytes,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that every job of a session shares.

    Attributes:
        protocol: `default` trains on 55,000 images and selects on 5,000 others, not on test;
            `reference` trains on all 60,000 and selects on test, as the notebook did.
        changes: to the recipe, for the training a command runs.
        inputs: the images' size, channels and normalization, where set.

    Raises InputError if a value is invalid.
    """

    model: str = setting(
        "cnn5", text(f"{', '.join(ZOO)}, or your own: {FORMS}"), "net to prune", check=model_spec
    )
    model_args: str = setting(
        "",
        MODEL_ARGS,
        "arguments of your own net, such as num_classes=10,weights=DEFAULT",
        unset="the data's num_classes and channels",
    )
    fresh_head: bool = setting(
        False, switch(), "new last layer for your own net, for the data's classes"
    )
    dataset: str = setting(
        "mnist",
        text(f"{', '.join(DATASETS)}, or {FOLDER}PATH, a folder of images by class"),
        "data set",
        check=check_name,
    )
    protocol: str = setting("default", one_of(PROTOCOLS), "how the images are split")
    recipe: str = setting("fast", one_of(RECIPE_MEANINGS), "recipe")
    changes: RecipeChanges = NO_CHANGES
    precision: str = setting("auto", one_of(_PRECISIONS), "number format")
    recalibrate: str = setting(
        ON, one_of(_RECALIBRATE), "BatchNorm's running statistics in a pruned net"
    )
    repair: str = setting(
        RECALIBRATE,
        one_of(_REPAIR),
        "what a scan does to a pruned layer before it is measured",
        label="scan's repair",
    )
    device: str = local_setting("auto", one_of(DEVICES), "compute device")
    threads: int | None = local_setting(
        None, integer(1, 1024), "CPU threads", unset="chosen by torch"
    )
    seed: int = setting(0, integer(0, 2**63 - 1), "random seed")
    data_dir: Path | None = local_setting(
        None, path("DIR"), "folder with the data sets", unset="the platform's cache folder"
    )
    weights: Path | None = local_setting(
        None,
        path("FILE", ".safetensors, .pt or .fw"),
        "dense weights to start from",
        unset="shipped, or trained once",
    )
    inputs: Inputs = DEFAULT_INPUTS
    cache_budget: int = local_setting(BUDGET, _BYTES, "disk space for decoded image folders")

    def __post_init__(self) -> None:
        check_fields(self)
        model_spec(self.model, self.model_args, self.fresh_head)
        self.changes.applied_to(recipe_named(self.recipe))

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Settings from values by name; the rest have their defaults.

        Raises InputError if a value is invalid, or two conflict.
        """
        own, inputs, changes = (
            {name: values[name] for name in settings_in(owner) if name in values}
            for owner in (cls, Inputs, RecipeChanges)
        )
        return cls(**own, inputs=Inputs(**inputs), changes=RecipeChanges(**changes))

    @property
    def recalibrates(self) -> bool:
        """Whether running statistics are computed anew after pruning."""
        return self.recalibrate == ON

    @property
    def reconstructs_scans(self) -> bool:
        """Whether a scan reconstructs each pruned layer."""
        return self.repair == RECONSTRUCT

    @property
    def short_name(self) -> str:
        """The net's name for display and in names of files, see `core.nets.zoo.short_name`."""
        return short_name(self.model, self.model_args)

    def finetuning(self, size: TrainingSize | None = None) -> Recipe:
        """The recipe, fitted to a training set of this size, with the changes applied."""
        return self.changes.applied_to(self._fitted(size))

    def training(self, size: TrainingSize | None = None) -> Phase:
        """The hyperparameters of dense training, likewise, with the changes that apply to it."""
        return self.changes.applied_to_phase(self._fitted(size).dense)

    def _fitted(self, size: TrainingSize | None) -> Recipe:
        recipe = recipe_named(self.recipe)
        return recipe if size is None else recipe.fitted_to(size)


SETTINGS = settings_in(Settings) | settings_in(Inputs) | settings_in(RecipeChanges)
"""Every setting by name."""

OF_OWN_NETS = ("model_args", "fresh_head")
"""Settings that only a user's own net takes; recorded, and written to files, only if given."""

OF_A_SESSION = ("model", *OF_OWN_NETS, "dataset", "protocol")
"""Settings that a run or a recipe must share with the session it is opened in."""

OF_IMAGES = tuple(settings_in(Inputs))
"""Settings of the images, likewise."""

_IS_SAME = {"model": is_same_model, "dataset": is_same_data}
"""Compare settings that may hold a path, which depends on the folder it was given in."""

DEFAULTS = Settings()


def is_same_setting(name: str, recorded: Any, named: Any) -> bool:
    """Whether what a file holds of the setting `name` is what a session has, by any path."""
    if recorded is None or named is None or name not in _IS_SAME:
        return bool(recorded == named)
    return _IS_SAME[name](recorded, named)
