"""One training step on a copy, before any work: most errors of a net in training come up early."""

from dataclasses import replace

from torch import nn

from core.data.batches import Images
from core.errors import InputError
from core.events import Notice, Stream, drain, never
from core.nets.calls import refused
from core.nets.outputs import logits_hook
from core.nets.trial import names_kept, random_kept, try_loading
from core.nets.weights import state_dict
from core.training.loop import Trainer
from core.training.recipes import Phase


def check_gradients(model: nn.Module) -> None:
    """Raise InputError if nothing in a net requires a gradient."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError(
            f"nothing in {type(model).__name__} can be trained: none of its parameters requires a "
            "gradient; call requires_grad_() on those to train, or use weights that are trained"
        )


def try_step(model: nn.Module, data: Images, phase: Phase, precision: str = "fp32") -> Stream[None]:
    """Train a net that returns logits for one step on two images, or one if batches have one.

    `model` cannot be used afterwards. A notice says which of several outputs the logits are.

    Raises:
        InputError: nothing in the net requires a gradient, the net raises, or a step changes what
            its state_dict holds.
    """
    check_gradients(model)
    count = min(2, phase.batch_size)
    few = replace(data, images=data.images[:count], labels=data.labels[:count])
    trainer = Trainer(model, few, phase, 0, precision)
    with refused(), names_kept(model), random_kept(data.device):
        state = state_dict(model)
        drain(trainer.run_epoch(never))
    try_loading(model, state)
    if text := logits_hook(model).notice(training=True):
        yield Notice(text)
