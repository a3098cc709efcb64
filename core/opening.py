"""The dense net that a session starts from: given, shipped, kept from before, or trained now."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import torch

from core.choices import NO_CHOICES
from core.datasets.patience import Pulse, follow
from core.datasets.reasons import reason
from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.own import source_digest
from core.settings import DEFAULTS
from core.trainer import copy_weights
from core.weights import DenseWeights, Weights, load_dense, save_dense
from core.zoo import short_name

if TYPE_CHECKING:
    from core.workbench import Workbench


def dense_weights(bench: Workbench, stop: StopFlag = never) -> Stream[DenseWeights]:
    """The weights that the settings name; else those that come with the net for its data set.

    Those of a net of torchvision's come from there, where there is a network; where there is none
    it is untrained, which is told. For other data, for images of another size, and under the
    reference protocol, whose dense net is trained on all images too, they are trained once and kept
    in the platform's cache folder.

    Raises:
        InputError: a file of weights cannot be taken.
        StoppedError: `stop` was raised while they were trained.
    """
    settings = bench.settings
    if settings.weights is not None:
        return load_dense(settings.weights, bench.vehicle())
    shipped_for = (DEFAULTS.protocol, bench.spec.dataset)
    its_own = (settings.protocol, settings.dataset) == shipped_for
    if its_own and not (yield from bench.splits(stop)).fingerprint:
        return load_dense(bench.spec.shipped_weights, bench.vehicle())
    if bench.spec.is_torchvisions:
        return (yield from _pretrained(bench, stop))
    recipe = "reference" if settings.protocol == "reference" else DEFAULTS.recipe
    return (
        yield from _trained_once(
            bench.by(replace(settings, recipe=recipe, choices=NO_CHOICES)), stop
        )
    )


def _pretrained(bench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """What torchvision has trained on ImageNet; without a network, fresh weights."""
    from torchvision.models import get_model_weights

    name = bench.settings.model

    def fetch(_: Pulse) -> Weights:
        weights: Weights = get_model_weights(name).DEFAULT.get_state_dict(
            check_hash=True, weights_only=True
        )
        return weights

    try:
        weights = yield from follow(fetch, f"fetch torchvision's weights of {name}", stop)
        return DenseWeights(weights, None)
    except StoppedError:
        raise
    except (OSError, RuntimeError) as error:
        yield Notice(
            f"{name} is untrained: its weights could not be fetched ({reason(error)}); give "
            "--weights FILE",
            warning=True,
        )
        return DenseWeights(copy_weights(bench.fresh_model()), None, trained=False)


def _trained_once(bench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """The dense net of the workbench's recipe: from the cache, or trained and put there."""
    settings = bench.settings
    data = yield from bench.splits(stop)
    path = _kept(bench, (yield from bench.resolved_precision(stop)), data.fingerprint)
    if path.exists():
        try:
            return load_dense(path, bench.vehicle())
        except InputError as error:
            yield Notice(f"what was kept cannot be used: {error}", warning=True)
    of = f"{short_name(settings.model)} on {settings.dataset}"
    yield Notice(f"training the dense {of} by the recipe {settings.recipe}; kept in {path}")
    trained = yield from bench.train(stop)
    if trained.stopped:
        raise StoppedError(f"stopped while the dense {of} was trained")
    dense = DenseWeights(trained.weights, trained.early)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_dense(path, dense, {"recipe": settings.recipe, "protocol": settings.protocol})
    except (OSError, InputError) as error:
        yield Notice(f"the dense net is not kept: {error}", warning=True)
    return dense


def _kept(bench: Workbench, precision: str, fingerprint: str) -> Path:
    """Where a dense net trained with these settings is kept."""
    settings = bench.settings
    facts = {
        "model": settings.model,
        "dataset": settings.dataset,
        "protocol": settings.protocol,
        "phase": asdict(bench.training),
        "seed": settings.seed,
        "precision": precision,
        "device": bench.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if fingerprint:
        facts["images"] = fingerprint
    if bench.spec.is_own:
        facts["code"] = source_digest(settings.model)
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    cache = Path(platformdirs.user_cache_dir("featherweight"))
    return cache / "dense" / f"{short_name(settings.model)}-{digest}.safetensors"
