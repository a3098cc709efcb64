"""A net whose own code fails late: the best epoch is kept, and the error is the user's message."""

from __future__ import annotations

import re

import pytest
import torch

from core.data.batches import Splits
from core.events import Epoch, drain
from core.nets.calls import NetError
from core.nets.layers import prunable_layers
from core.nets.outputs import logits_hook
from core.nets.weights import copy_weights
from core.pruning.plans import uniform_plan
from core.training.dense import train
from core.training.finetuning import finetune
from tests.core import peoples_nets
from tests.core.training.test_first_step import images
from tests.core.training_loops import of_type, recorded, short

pytestmark = pytest.mark.usefixtures("one_thread")

DATA = Splits(images(96), images(20), images(20))
"""Eight steps an epoch: the nets fail in the fourth."""

CALL = r"the net cannot take images \[12, 1, 16, 16\]: forward\(\) in training raised "
LINE = r" \(peoples_nets.py line \d+\)"
RETURNS, LOGITS = "the net returns ", re.escape(": expected [12, 10], one logit for each of 10")
IMAGES = re.escape(" in training for images [12, 1, 16, 16]")

NETS = [
    (peoples_nets.Fails, f"{CALL}RuntimeError: out of luck{LINE}"),
    (peoples_nets.FailsByExit, f"{CALL}SystemExit: bye{LINE}"),
    (peoples_nets.FailsByTuple, rf"{RETURNS}a tuple \(\[0\] \[12, 3\], .*\){IMAGES}{LOGITS}"),
    (peoples_nets.FailsByShape, rf"{RETURNS}\[12, 7\]{IMAGES}{LOGITS}"),
    (peoples_nets.FailsByIntegers, rf"{RETURNS}\[12, 10\] of int64{IMAGES}{LOGITS}"),
]


def made(kind: type[peoples_nets.Plain]) -> peoples_nets.Plain:
    torch.manual_seed(0)
    net = kind()
    logits_hook(net).classes = 10
    return net


@pytest.mark.parametrize(("kind", "message"), NETS)
def test_the_best_epoch_at_the_full_plan_is_kept(
    kind: type[peoples_nets.Plain], message: str
) -> None:
    net = made(kind)
    layers = prunable_layers(net)
    plan = uniform_plan(0.8, [layer.name for layer in layers])
    stream = finetune(
        net, copy_weights(net), plan, DATA, short("fast", epochs=6), remake=lambda: made(kind)
    )
    result, events = recorded(stream)
    assert re.match(message, result.error)
    assert result.stopped
    assert (result.best, len(of_type(Epoch, events))) == (3, 3)
    assert result.accuracy.validation == result.epochs[2].validation
    assert result.revived == 0
    for layer in layers:
        assert int(result.weights[layer.key].count_nonzero()) == layer.elements - round(
            0.8 * layer.elements
        )


def test_the_best_epoch_of_a_dense_training_is_kept() -> None:
    phase = short("reference", epochs=6).dense
    phase = short("reference", epochs=6, optimizer=phase.optimizer, lr=phase.lr).finetune
    net = made(peoples_nets.Fails)
    result = drain(train(net, DATA, phase, remake=lambda: made(peoples_nets.Fails)))
    assert result.stopped
    assert result.error.startswith("the net cannot take images [12, 1, 16, 16]: forward()")
    assert result.accuracy.validation == max(epoch.validation for epoch in result.epochs)
    assert len(result.epochs) == 3


def test_an_error_before_there_is_a_best_epoch_is_raised() -> None:
    net = made(peoples_nets.Fails)
    recipe = short("fast", epochs=20)
    plan = uniform_plan(0.8, [layer.name for layer in prunable_layers(net)])
    with pytest.raises(NetError, match="out of luck"):
        drain(finetune(net, copy_weights(net), plan, DATA, recipe))
    with pytest.raises(NetError, match="out of luck"):
        drain(train(made(peoples_nets.FailsAtOnce), DATA, recipe.finetune))
