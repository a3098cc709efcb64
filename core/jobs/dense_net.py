"""The dense net that a session starts from: given, shipped, kept from before, or trained now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import StoppedError
from core.events import Notice, StopFlag, Stream, never
from core.jobs.dense_cache import trained_once
from core.nets.weights import DenseWeights, Weights, load_dense
from core.settings.choices import NO_CHOICES
from core.settings.settings import DEFAULTS
from core.system.background import Pulse, follow
from core.system.error_text import reason
from core.training.loop import copy_weights

if TYPE_CHECKING:
    from core.jobs.workbench import Workbench


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
        return load_dense(settings.weights, bench.models.vehicle())
    shipped_for = (DEFAULTS.protocol, bench.spec.dataset)
    its_own = (settings.protocol, settings.dataset) == shipped_for
    if its_own and not (yield from bench.splits(stop)).fingerprint:
        return load_dense(bench.spec.shipped_weights, bench.models.vehicle())
    if bench.spec.is_torchvisions:
        return (yield from _pretrained(bench, stop))
    recipe = "reference" if settings.protocol == "reference" else DEFAULTS.recipe
    by_recipe = bench.by(replace(settings, recipe=recipe, choices=NO_CHOICES))
    return (yield from trained_once(by_recipe, stop))


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
