"""Of several outputs, the logits are used, in whatever container they come."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import GoogLeNetOutputs

from core.graph.tracing import graph_of
from core.nets.calls import NetError
from core.nets.model_copy import copy_model
from core.nets.outputs import logits_hook
from tests.core.peoples_nets import Named, Out

CLASSES = 5


class Gives(nn.Module):
    """Returns what `pack` makes of features [N, 8] and logits [N, 5]."""

    def __init__(self, pack: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.body, self.head, self.pack = nn.Linear(3, 8), nn.Linear(8, CLASSES), pack

    def forward(self, x: Tensor) -> Any:
        hidden = self.body(x)
        return self.pack(hidden, self.head(hidden))


PACKS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "tensor": lambda h, y: y,
    "tuple": lambda h, y: (h, y),
    "list": lambda h, y: [y, h],
    "nested": lambda h, y: (h, {"more": [None, y]}),
    "dict": lambda h, y: {"hidden": h, "out": y},
    "named tuple": lambda h, y: Out(aux=h, logits=y),
    "torchvision's": lambda h, y: GoogLeNetOutputs(y, None, y + 1),
    "dataclass": Named,
    "called logits": lambda h, y: OrderedDict(aux=y + 1, logits=y),
    "object": lambda h, y: SimpleNamespace(loss=None, hidden=h, logits=y),
}


def hooked(pack: Callable[[Tensor, Tensor], Any]) -> tuple[Gives, Tensor]:
    """A net whose calls return logits only, and these for four images."""
    net = Gives(pack)
    with torch.no_grad():
        expected = net.head(net.body(torch.ones(4, 3)))
    logits_hook(net).classes = CLASSES
    return net, expected


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", PACKS)
def test_calls_return_the_logits(name: str, training: bool) -> None:
    net, expected = hooked(PACKS[name])
    assert torch.equal(net.train(training)(torch.ones(4, 3)), expected)
    assert torch.equal(copy_model(net).model(torch.ones(4, 3)), expected)


@pytest.mark.parametrize("name", [name for name in PACKS if name != "object"])
def test_a_traced_net_returns_the_logits(name: str) -> None:
    net, expected = hooked(PACKS[name])
    net.eval()(torch.ones(4, 3))
    assert torch.equal(graph_of(net)(torch.ones(4, 3)), expected)


def test_it_is_said_which_output_is_used() -> None:
    net, _ = hooked(PACKS["named tuple"])
    net.train()(torch.ones(4, 3))
    hook = logits_hook(net)
    assert hook.notice(training=False) == ""
    assert hook.notice(training=True) == (
        "the net returns 2 tensors in training (logits, aux): logits is used as the logits"
    )
    net, _ = hooked(PACKS["nested"])
    net.eval()(torch.ones(4, 3))
    assert "([0], [1].more[1]): [1].more[1]" in logits_hook(net).notice(training=False)


def test_the_first_batch_decides_for_the_next_ones() -> None:
    net, _ = hooked(lambda h, y: (torch.zeros(4, CLASSES), y))
    net(torch.ones(2, 3))
    assert net(torch.ones(4, 3)).requires_grad, "the constant has as many rows by chance"


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (lambda h, y: y.long(), r"returns \[4, 5\] of int64 in training for images \[4, 3\]"),
        (lambda h, y: y[:, :3], r"returns \[4, 3\] in training"),
        (lambda h, y: y[0], r"returns \[5\] in training"),
        (lambda h, y: None, r"returns nothing in training"),
        (lambda h, y: "hello", r"returns a str in training"),
        (lambda h, y: (h[:, :2], 3), r"returns a tuple \(\[0\] \[4, 2\]\) in training"),
        (lambda h, y: (), r"returns a tuple in training"),
    ],
)
def test_an_output_without_logits_is_refused(
    pack: Callable[[Tensor, Tensor], Any], message: str
) -> None:
    net, _ = hooked(pack)
    with pytest.raises(NetError, match=message + r".*: expected \[4, 5\], one logit for each of 5"):
        net.train()(torch.ones(4, 3))


def test_another_output_later_is_refused() -> None:
    outputs = iter(("both", "one", "none"))

    def pack(hidden: Tensor, logits: Tensor) -> Any:
        return {"both": (hidden, logits), "one": (hidden,), "none": {}}[next(outputs)]

    net, _ = hooked(pack)
    net(torch.ones(4, 3))
    for _ in range(2):
        with pytest.raises(NetError, match="expected"):
            net(torch.ones(4, 3))
