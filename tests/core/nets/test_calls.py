"""What a net's own code raises becomes one line: the call, the images, the line of its file."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

from core.errors import InputError
from core.nets.calls import EVALUATION, NetCall, NetError, describe, evaluation_mode
from core.nets.trial import try_forward
from core.nets.weights import load_into, state_dict
from tests.core.peoples_nets import (
    CannotBeLoaded,
    CannotBeStored,
    FailsInTrain,
    OwnStop,
    TrainReturnsNothing,
)


class Deep(nn.Module):
    """The fault is in its own code, or below it in torch."""

    def __init__(self, fault: Callable[[], object]) -> None:
        super().__init__()
        self.fault = fault

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.fault()
        return x


def raised(net: nn.Module) -> str:
    images = torch.zeros(2, 1, 4, 4)
    with pytest.raises(NetError) as caught, NetCall(EVALUATION, images):
        net(images)
    return str(caught.value)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (lambda: torch.zeros(2) @ torch.zeros(3), "RuntimeError: inconsistent tensor size"),
        (lambda: json.loads("{"), "JSONDecodeError: Expecting property name"),
    ],
)
def test_the_line_is_that_of_the_users_file(fault: Callable[[], object], text: str) -> None:
    message = raised(Deep(fault))
    assert message.startswith(
        f"the net cannot take images [2, 1, 4, 4]: forward() in evaluation raised {text}"
    )
    assert message.endswith(f"(test_calls.py line {fault.__code__.co_firstlineno})")


@pytest.mark.parametrize("error", [SystemExit, StopIteration, RecursionError, OwnStop])
def test_whatever_is_raised_is_one_line(error: type[BaseException]) -> None:
    def fault() -> None:
        raise error("one\n  two")

    line = fault.__code__.co_firstlineno + 1
    assert raised(Deep(fault)).endswith(f"{error.__name__}: one two (test_calls.py line {line})")


def test_the_line_of_a_library_net_is_the_librarys() -> None:
    net = torchvision.models.squeezenet1_1(num_classes=2)
    with pytest.raises(InputError, match=r"\(squeezenet.py line \d+\)$"):
        try_forward(net, torch.zeros(2, 1, 64, 64), 2)


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit])
def test_ctrl_c_and_the_end_of_a_stream_are_no_errors_of_the_net(
    error: type[BaseException],
) -> None:
    with pytest.raises(error), NetCall(EVALUATION):
        raise error


def test_storing_and_loading_are_calls_of_the_net() -> None:
    message = r"state_dict\(\) raised OwnStop: no state today \(peoples_nets.py line \d+\)"
    with pytest.raises(NetError, match=message):
        state_dict(CannotBeStored())
    net = CannotBeLoaded()
    message = r"load_state_dict\(\) raised ValueError: no loading today \(peoples_nets.py line"
    with pytest.raises(NetError, match=message):
        load_into(net, state_dict(net))


def test_a_long_text_is_cut() -> None:
    assert len(describe(ValueError("x" * 10_000))) < 600
    traced = "bad\n\nWhile executing %n : [num_users=1] = call_module[n]\nOriginal traceback:"
    assert describe(ValueError(traced)) == "ValueError: bad"


def test_a_train_that_returns_nothing_is_fine() -> None:
    net = TrainReturnsNothing()
    assert evaluation_mode(net) is net
    assert not net.training


def test_a_train_that_raises_is_named() -> None:
    net = FailsInTrain()
    message = r"the net failed: train\(\) raised ValueError: no .*\(peoples_nets.py line"
    with pytest.raises(NetError, match=message), NetCall("train()"):
        net.train()
