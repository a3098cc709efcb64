"""The dense net a session starts from: given, shipped, cached, or trained now.

A net trained on first use is stored in the platform's cache folder. A training that is stopped or
killed resumes after its last epoch next time.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
import torch

from core.data.inputs import Inputs
from core.data.registry import is_folder, short_data_name
from core.errors import InputError, StoppedError, WorkError
from core.events import (
    Accuracy,
    DenseTrainingStarted,
    Event,
    Notice,
    Portion,
    Progress,
    StopFlag,
    Stream,
    TrainingNeeded,
    never,
    portions,
    relayed,
    within,
)
from core.experiments.runs import read_checkpoint
from core.formats.weights_files import EARLY, load_dense, save_dense, save_weights
from core.jobs.net import Net
from core.jobs.preflight import naming_its_data
from core.jobs.workbench import Workbench
from core.measure.evaluation import measure, subject_of
from core.nets.user_code.names import without_folder
from core.nets.user_code.sources import source_digest
from core.nets.weights import DenseWeights, Weights, copy_weights, weights_digest
from core.settings.recipe_changes import NO_CHANGES, RecipeChanges
from core.settings.settings import DEFAULTS, OF_OWN_NETS, Settings
from core.system.blocking_calls import run_in_thread
from core.system.error_text import reason
from core.system.untrusted_json import DIGEST, HEADER, to_json
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult

LOADING, LONG_LOADING = Portion(0.0, 0.4), Portion(0.0, 0.85)
"""Of opening a net: loading the images; if they are fetched or decoded first, it takes longer."""

MEASURING = Portion(0.2, 1.0)
"""Of the rest: measuring the net."""


def open_dense_net(
    workbench: Workbench, stop: StopFlag = never, may_train: bool = True
) -> Stream[Net]:
    """Load the data and the dense net, and measure it.

    A user's own model is tried on a few images first; notices name its layers that cannot be
    pruned. If the dense net has to be trained first, but may not be, an untrained one is opened
    after `TrainingNeeded`.

    Raises:
        InputError: the model's code does not work, see `user_model`; or the weights do not fit it.
    """
    # First: resolving the precision trains a net of its own.
    rest = yield from _loaded(workbench, stop)
    yield Progress("opening the dense net")
    dense = yield from within(rest, dense_weights(workbench, stop, may_train))
    measuring = measured_net(workbench, dense, stop)
    if dense.accuracy is not None:  # trained now: it took the rest of the time, and is measured
        return (yield from measuring)
    return (yield from within(rest.part(MEASURING), measuring))


def _loaded(workbench: Workbench, stop: StopFlag) -> Stream[Portion]:
    """Load the images; returns the portion of opening a net that is left.

    Only a long loading, of images that are not here yet, announces portions of its own.
    """
    portion = LOADING
    yield portion
    with closing(workbench.prepared(stop)) as stream:
        for event in stream:
            if isinstance(event, Portion):
                portion = LONG_LOADING
                yield portion.part(event)
            else:
                yield event
    return Portion(portion.end, 1.0)


def unmeasured_dense_net(workbench: Workbench, stop: StopFlag = never) -> Stream[Net]:
    """Load the data and the dense net for work that asks for no accuracy: both of its are NaN.

    Raises:
        InputError: as `open_dense_net` does.
    """
    yield from workbench.splits(stop)
    dense = yield from dense_weights(workbench, stop)
    net = workbench.net_of(dense.weights, Accuracy(math.nan, math.nan), early=dense.early)
    return replace(net, trained=dense.trained)


def train_first(
    workbench: Workbench, recipe: str, changes: RecipeChanges, stop: StopFlag = never
) -> Stream[Net]:
    """Train the missing dense net as chosen; every later session opens it.

    A training that is stopped resumes after its last epoch if it is started again alike.
    """
    settings = replace(workbench.settings, recipe=recipe, changes=changes)
    training, measuring = portions(0.99, 0.01)
    stream = _trained(_plain(workbench), workbench.with_settings(settings), stop)
    dense = yield from within(training, stream)
    return (yield from within(measuring, measured_net(workbench, dense, stop)))


def measured_net(
    workbench: Workbench, dense: DenseWeights, stop: StopFlag = never, stage: str = "dense"
) -> Stream[Net]:
    """A net with its measured accuracy, ready to be pruned; `stage` says what it is."""
    data, precision = yield from workbench.prepared(stop)
    accuracy = dense.accuracy
    if accuracy is None:
        model = workbench.models.for_inference(dense.weights)
        accuracy = yield from measure(model, data, stage, stop, precision)
    net = workbench.net_of(dense.weights, accuracy, early=dense.early)
    if net.at_chance and dense.trained:
        yield Notice(_at_chance(net, stage), warning=True)
    return replace(net, trained=dense.trained)


def _at_chance(net: Net, stage: str) -> str:
    """What is wrong with a net that does not beat guessing, or with the images that say so."""
    subject, images = subject_of(stage), net.accuracy.images[0]
    guessing = "always guessing the most common class"
    if net.unclear:
        few = f"so few validation images ({images:,})"
        return f"{subject} cannot be told from {guessing} on {few}"
    way = "train another" if stage == "dense" else "prune less"
    return f"{subject} is no better than {guessing}: {way}, or check the images' labels"


def dense_weights(
    workbench: Workbench, stop: StopFlag = never, may_train: bool = True
) -> Stream[DenseWeights]:
    """The weights the settings name, else the ones shipped with the net for its data set.

    A user's own net may come with trained weights, see `ModelSpec.is_built_trained`. Weights of
    the zoo's nets from torchvision are downloaded; without a network the net is untrained, with a
    notice. For other data, other image sizes and the reference protocol (whose dense net is trained
    on all images), weights are trained once and stored in the platform's cache folder; see
    `open_dense_net` for `may_train`.

    Raises InputError if a weights file cannot be used.
    """
    settings = workbench.settings
    if settings.weights is not None:
        with naming_its_data(workbench):
            dense = load_dense(settings.weights, workbench.models.uninitialized())
        yield from (Notice(note, warning=True) for note in dense.notes)
        if text := _normalization(workbench):
            yield Notice(f"{settings.weights.name}: {text}")
        return dense
    shipped_for = (DEFAULTS.protocol, workbench.spec.dataset)
    is_shipped = (settings.protocol, settings.dataset) == shipped_for
    if is_shipped and not (yield from workbench.splits(stop)).fingerprint:
        return load_dense(workbench.spec.shipped_weights, workbench.models.uninitialized())
    if workbench.spec.is_built_trained:
        return DenseWeights(copy_weights(workbench.models.uninitialized()), None)
    if workbench.spec.is_from_torchvision:
        return (yield from _pretrained(workbench, stop))
    plain = _plain(workbench)
    if may_train:
        return (yield from cached_or_trained(plain, stop))
    cached = yield from _cached(plain, stop)
    if cached is None:
        yield TrainingNeeded(f"{settings.short_name} on {short_data_name(settings.dataset)}")
    return cached or DenseWeights(copy_weights(workbench.fresh_model()), None, trained=False)


def _normalization(workbench: Workbench) -> str:
    """How images are normalized for a user's own net; empty if the user said so."""
    given, images = workbench.settings.inputs, workbench.images
    is_given = None not in (given.mean, given.std)
    if is_given or images.mean is None or not workbench.spec.is_user_model:
        return ""
    name = workbench.settings.dataset
    source = f"those of {name}"
    if workbench.models.inputs.mean is not None:
        source = "those of the net's own weights"
    elif is_folder(name):
        source = "those of the folder's training images"
    used = Inputs(mean=images.mean, std=images.std).flags
    return (
        f"images are normalized by {used}, {source}; if the net was trained on others, give them "
        "(--mean 0 --std 1 for pixels / 255)"
    )


def _plain(workbench: Workbench) -> Workbench:
    """The workbench with the recipe of the dense net, whatever the settings say of fine-tuning."""
    settings = workbench.settings
    recipe = "reference" if settings.protocol == "reference" else DEFAULTS.recipe
    return workbench.with_settings(replace(settings, recipe=recipe, changes=NO_CHANGES))


def _pretrained(workbench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """Weights torchvision trained on ImageNet; without a network, fresh weights."""
    from torchvision.models import get_model_weights

    name = workbench.settings.model
    fetch = get_model_weights(name).DEFAULT.get_state_dict
    try:
        weights: Weights = yield from run_in_thread(
            lambda _: fetch(check_hash=True, weights_only=True),
            f"downloading torchvision's weights for {name}",
            stop,
        )
        return DenseWeights(weights, None)
    except StoppedError:
        raise
    except (OSError, RuntimeError) as error:
        problem = f"its weights could not be downloaded ({reason(error)})"
        yield Notice(f"{name} is untrained: {problem}; use --weights FILE", warning=True)
        return DenseWeights(copy_weights(workbench.fresh_model()), None, trained=False)


def cached_or_trained(workbench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """Load the dense net of the workbench's recipe from the cache, or train and store it."""
    cached = yield from _cached(workbench, stop)
    return cached or (yield from _trained(workbench, workbench, stop))


def _cached(workbench: Workbench, stop: StopFlag) -> Stream[DenseWeights | None]:
    """The stored dense net; None if there is none, or with a notice a damaged one."""
    path = yield from _cache_path(workbench, stop)
    if path.exists():
        try:
            return load_dense(path, workbench.models.uninitialized())
        except InputError as error:
            yield Notice(f"the stored dense net cannot be used: {error}", warning=True)
    return None


def _trained(workbench: Workbench, chosen: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """Train the dense net of `workbench` by the recipe of `chosen`, and store it."""
    path, settings = (yield from _cache_path(workbench, stop)), chosen.settings
    yield from chosen.prepared_to_train(stop)
    title = _title(settings)
    text = f"training the dense {title}, since there is none yet (recipe {settings.recipe})"
    yield Notice(f"{text}, to be stored in {path}")
    yield DenseTrainingStarted(chosen.training.epochs)
    unfinished = (yield from _cache_path(chosen, stop)).with_suffix(".unfinished")
    result = yield from _train(chosen, unfinished, stop)
    if result.stopped:
        next_time = f"; next time it resumes after epoch {len(result.epochs)}"
        hint = next_time if unfinished.exists() else ""
        if result.error:
            raise WorkError(f"{result.error}, while training the dense {title}{hint}")
        raise StoppedError(f"stopped while training the dense {title}{hint}")
    dense = DenseWeights(result.weights, result.early, accuracy=result.accuracy)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        notes = {"recipe": settings.recipe, "protocol": settings.protocol}
        save_dense(path, dense, {**notes, DIGEST: weights_digest(dense.weights)})
        with suppress(OSError):  # the next training of this net overwrites it
            unfinished.unlink(missing_ok=True)
    except (InputError, OSError) as error:
        yield Notice(f"the dense net could not be stored: {error}", warning=True)
    return dense


def _title(settings: Settings) -> str:
    """The model and the data set, in words."""
    return f"{settings.short_name} on {settings.dataset}"


def cached_net(workbench: Workbench, digest: str) -> DenseWeights | None:
    """The stored dense net of this model with the given digest, if there is one."""
    for path in sorted(_folder().glob(f"{workbench.settings.short_name}-*.safetensors")):
        if not path.stem.endswith(EARLY):
            with suppress(InputError):
                dense = load_dense(path, workbench.models.uninitialized())
                if weights_digest(dense.weights) == digest:
                    return dense
    return None


def _train(workbench: Workbench, unfinished: Path, stop: StopFlag) -> Stream[TrainingResult]:
    """Train, resuming an earlier training; checkpoints go to the file `unfinished`."""

    def stored(event: Event) -> Iterator[Event]:
        if not isinstance(event, Checkpoint):
            yield event
            return
        with suppress(InputError, OSError):  # storing the net will fail too, with a notice
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            state, tensors = to_json({"state": event.json}), dict(event.tensors)
            save_weights(unfinished, tensors, {HEADER: state, DIGEST: weights_digest(tensors)})

    resume = _resume_state(unfinished)
    return relayed(workbench.train(stop, checkpoints=True, resume=resume), stored)


def _resume_state(unfinished: Path) -> dict[str, Any] | None:
    """The state of an unfinished training; None if there is no usable one."""
    try:
        checkpoint = read_checkpoint(unfinished)
        return Checkpoint(checkpoint.tensors, checkpoint.record.state or {}).state() or None
    except (InputError, TypeError, ValueError):
        return None


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("featherweight")) / "dense"


def _cache_path(workbench: Workbench, stop: StopFlag) -> Stream[Path]:
    """The file of a dense net trained with these settings."""
    data, precision = yield from workbench.prepared(stop)
    settings, fingerprint = workbench.settings, data.fingerprint
    key: dict[str, Any] = {
        # Without folders: digests identify the user's own code and images.
        "model": without_folder(settings.model),
        "dataset": short_data_name(settings.dataset),
        "protocol": settings.protocol,
        "seed": settings.seed,
        "phase": workbench.training.values(),
        "precision": precision,
        "device": workbench.models.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if fingerprint:
        key["images"] = fingerprint
    if workbench.spec.is_user_model:
        key["code"] = source_digest(settings.model)
        key |= {name: value for name in OF_OWN_NETS if (value := getattr(settings, name))}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    return _folder() / f"{settings.short_name}-{digest}.safetensors"
