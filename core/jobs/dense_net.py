"""The dense net a session starts from: given, shipped, cached, or trained now."""

from dataclasses import replace

from core.errors import StoppedError
from core.events import Notice, Progress, StopFlag, Stream, never
from core.formats.weights_files import load_dense
from core.jobs.dense_cache import cached_or_trained
from core.jobs.workbench import Net, Workbench
from core.measure.evaluation import measure
from core.nets.weights import DenseWeights, Weights
from core.settings.recipe_changes import NO_CHOICES
from core.settings.settings import DEFAULTS
from core.system.background import run_in_thread
from core.system.error_text import reason
from core.training.loop import copy_weights


def open_dense_net(workbench: Workbench, stop: StopFlag = never) -> Stream[Net]:
    """Load the data and the dense net, and measure it.

    A user's own model is tried on a few images first; notices name its layers that cannot be
    pruned.

    Raises:
        InputError: the model's code does not work, see `user_model`; or the weights do not fit it.
    """
    yield from workbench.prepared(stop)  # first: resolving the precision trains a net of its own
    yield Progress("open the dense net")
    dense = yield from dense_weights(workbench, stop)
    return (yield from measured_net(workbench, dense, stop))


def measured_net(workbench: Workbench, dense: DenseWeights, stop: StopFlag = never) -> Stream[Net]:
    """A dense net with its measured accuracy, ready to be pruned."""
    data, precision = yield from workbench.prepared(stop)
    model = workbench.models.for_inference(dense.weights)
    accuracy = yield from measure(model, data, "dense", stop, precision)
    net = workbench.net_of(dense.weights, accuracy, early=dense.early)
    return replace(net, trained=dense.trained)


def dense_weights(workbench: Workbench, stop: StopFlag = never) -> Stream[DenseWeights]:
    """The weights the settings name, else the ones shipped with the net for its data set.

    Weights of torchvision's nets are downloaded; without a network the net is untrained, with a
    notice. For other data, other image sizes and the reference protocol (whose dense net is trained
    on all images), weights are trained once and stored in the platform's cache folder.

    Raises:
        InputError: a weights file cannot be used.
    """
    settings = workbench.settings
    if settings.weights is not None:
        return load_dense(settings.weights, workbench.models.uninitialized())
    shipped_for = (DEFAULTS.protocol, workbench.spec.dataset)
    is_shipped = (settings.protocol, settings.dataset) == shipped_for
    if is_shipped and not (yield from workbench.splits(stop)).fingerprint:
        return load_dense(workbench.spec.shipped_weights, workbench.models.uninitialized())
    if workbench.spec.is_from_torchvision:
        return (yield from _pretrained(workbench, stop))
    recipe = "reference" if settings.protocol == "reference" else DEFAULTS.recipe
    plain = workbench.with_settings(replace(settings, recipe=recipe, choices=NO_CHOICES))
    return (yield from cached_or_trained(plain, stop))


def _pretrained(workbench: Workbench, stop: StopFlag) -> Stream[DenseWeights]:
    """Weights torchvision trained on ImageNet; without a network, fresh weights."""
    from torchvision.models import get_model_weights

    name = workbench.settings.model
    fetch = get_model_weights(name).DEFAULT.get_state_dict
    try:
        weights: Weights = yield from run_in_thread(
            lambda _: fetch(check_hash=True, weights_only=True),
            f"download torchvision's weights for {name}",
            stop,
        )
        return DenseWeights(weights, None)
    except StoppedError:
        raise
    except (OSError, RuntimeError) as error:
        problem = f"its weights could not be downloaded ({reason(error)})"
        yield Notice(f"{name} is untrained: {problem}; use --weights FILE", warning=True)
        return DenseWeights(copy_weights(workbench.fresh_model()), None, trained=False)
