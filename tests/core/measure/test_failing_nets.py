"""A net that fails while it is measured: the call, the images and the line of its file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.events import Stream, drain
from core.formats.onnx import to_onnx
from core.measure.activity import measure_activity
from core.measure.comparison import compare
from core.measure.evaluation import evaluate, sample_accuracy
from core.measure.sensitivity_scan import scan
from core.nets.calls import NetError
from core.nets.trial import try_forward
from tests.core.training.test_first_step import images

DATA = images(12)


class FailsOnMany(nn.Module):
    """Takes a few images, as in a trial, but not as many as are measured."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(256, 10)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 3:
            raise self.error("too many")
        return self.layer(x.flatten(1))

    error: type[BaseException] = RuntimeError


class ExitsOnMany(FailsOnMany):
    error = SystemExit


MEASUREMENTS: dict[str, Callable[[nn.Module], Stream[Any]]] = {
    "evaluation": lambda net: evaluate(net, DATA),
    "sample": lambda net: sample_accuracy(net, DATA),
    "activity": lambda net: measure_activity(net, DATA),
    "comparison": lambda net: compare(net, net, DATA, matrix=True),
    "scan": lambda net: scan(net, DATA, split="test", sparsities=(0.5,)),
}


@pytest.mark.parametrize("kind", [FailsOnMany, ExitsOnMany])
@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_net_that_fails_while_it_is_measured_is_named(name: str, kind: type[FailsOnMany]) -> None:
    net = kind()
    try_forward(net, DATA.batch(slice(0, 3))[0], 10)
    message = (
        r"the net cannot take images \[1\d, 1, 16, 16\]: forward\(\) in evaluation raised "
        rf"{kind.error.__name__}: too many \(test_failing_nets.py line \d+\)"
    )
    with pytest.raises(NetError, match=message):
        drain(MEASUREMENTS[name](net))


@pytest.mark.parametrize("kind", [FailsOnMany, ExitsOnMany])
def test_a_net_that_fails_in_an_export_is_refused(kind: type[FailsOnMany]) -> None:
    with pytest.raises(InputError, match=r"to ONNX: .*: too many \(test_failing_nets.py line \d+"):
        to_onnx(kind().eval(), torch.zeros(5, 1, 16, 16))
