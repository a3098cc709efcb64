"""Dense nets trained on first use and stored in the platform's cache folder.

A training that is stopped or killed resumes after its last epoch next time.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import platformdirs
import torch

from core.errors import InputError, StoppedError
from core.events import Notice, StopFlag, Stream
from core.experiments.runs import read_checkpoint
from core.formats.weights_files import EARLY, load_dense, save_dense, save_weights
from core.jobs.workbench import Workbench
from core.nets.digest import weights_digest
from core.nets.user_model import source_digest
from core.nets.weights import DenseWeights
from core.nets.zoo import short_name
from core.system.untrusted_json import HEADER, to_json
from core.training.checkpoints import Checkpoint
from core.training.dense import TrainingResult


def cached_or_trained(workbench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """Load the dense net of the workbench's recipe from the cache, or train and store it."""
    settings = workbench.settings
    data, precision = yield from workbench.prepared(stop)
    path = _cache_path(workbench, precision, data.fingerprint)
    if path.exists():
        try:
            return load_dense(path, workbench.models.uninitialized())
        except InputError as error:
            yield Notice(f"the stored dense net cannot be used: {error}", warning=True)
    title = f"{short_name(settings.model)} on {settings.dataset}"
    yield Notice(f"training the dense {title} (recipe {settings.recipe}), to be stored in {path}")
    unfinished = path.with_suffix(".unfinished")
    result = yield from _train(workbench, unfinished, stop)
    if result.stopped:
        hint = f"; next time it resumes after epoch {len(result.epochs)}"
        raise StoppedError(f"stopped while training the dense {title}{hint * unfinished.exists()}")
    dense = DenseWeights(result.weights, result.early)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_dense(path, dense, {"recipe": settings.recipe, "protocol": settings.protocol})
        with suppress(OSError):  # the next training of this net overwrites it
            unfinished.unlink(missing_ok=True)
    except (InputError, OSError) as error:
        yield Notice(f"the dense net could not be stored: {error}", warning=True)
    return dense


def cached_net(workbench: Workbench, digest: str) -> DenseWeights | None:
    """The stored dense net of this model with the given digest, if there is one."""
    for path in sorted(_folder().glob(f"{short_name(workbench.settings.model)}-*.safetensors")):
        if not path.stem.endswith(EARLY):
            with suppress(InputError):
                dense = load_dense(path, workbench.models.uninitialized())
                if weights_digest(dense.weights) == digest:
                    return dense
    return None


def _train(workbench: Workbench, unfinished: Path, stop: StopFlag) -> Stream[TrainingResult]:
    """Train, resuming an earlier training; checkpoints go to the file `unfinished`."""
    training = workbench.train(stop, checkpoints=True, resume=_resume_state(unfinished))
    while True:
        try:
            event = next(training)
        except StopIteration as end:
            result: TrainingResult = end.value
            return result
        if not isinstance(event, Checkpoint):
            yield event
            continue
        with suppress(InputError, OSError):  # storing the net will fail too, with a notice
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            state = to_json({"state": event.json})
            save_weights(unfinished, dict(event.tensors), {HEADER: state})


def _resume_state(unfinished: Path) -> dict[str, Any] | None:
    """The state of an unfinished training; None if there is no usable one."""
    try:
        checkpoint = read_checkpoint(unfinished)
        return Checkpoint(checkpoint.tensors, checkpoint.state or {}).state() or None
    except (InputError, TypeError, ValueError):
        return None


def _folder() -> Path:
    return Path(platformdirs.user_cache_dir("featherweight")) / "dense"


def _cache_path(workbench: Workbench, precision: str, fingerprint: str) -> Path:
    """The file of a dense net trained with these settings."""
    settings = workbench.settings
    key = {name: getattr(settings, name) for name in ("model", "dataset", "protocol", "seed")}
    key |= {
        "phase": asdict(workbench.training),
        "precision": precision,
        "device": workbench.models.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if fingerprint:
        key["images"] = fingerprint
    if workbench.spec.is_user_model:
        key["code"] = source_digest(settings.model)
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:12]
    return _folder() / f"{short_name(settings.model)}-{digest}.safetensors"
