"""Nets that torch has turned into something else are refused by name, before any work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import core
from core.errors import InputError
from core.nets.prunable.net_forms import check_form
from tests.core import peoples_nets
from tests.support.typed_nets import quantized

pytestmark = pytest.mark.usefixtures("one_thread")

Call = Callable[[nn.Module], object]

SCRIPT = "the net is a TorchScript program, .*: give the module it was made from"
EXPORT = "the net is an exported program, .*: give the module it was made from"
META = r"conv\.weight and 10 more of Plain have no values.*to_empty\(device='cpu'\)"
QUANTIZED = r"quantized already: fc1 and 1 more .*; give the float net instead"


@pytest.fixture(scope="module")
def data() -> core.Splits:
    images = torch.zeros(240, 1, 16, 16, dtype=torch.uint8)
    return core.splits((images, torch.arange(240) % 10))


def calls(data: core.Splits, folder: Path) -> dict[str, Call]:
    """Those that prune or train; those that store; the one that only measures."""
    return {
        "plan": lambda net: core.plan(net, 2),
        "prune": lambda net: core.prune(net, {}),
        "finetune": lambda net: core.finetune(net, {}, data),
        "scan": lambda net: core.scan(net, data),
        "compact": lambda net: core.compact(net, data),
        "remove_dead": lambda net: core.remove_dead(net, data),
        "accelerate": lambda net: core.accelerate(net, data),
        "from_torch_prune": core.from_torch_prune,
        "save": lambda net: core.save(net, folder / "net.fw"),
        "save_pt": lambda net: core.save(net, folder / "net.pt"),
        "load_weights": lambda net: core.load_weights(net, folder / "plain.pt"),
        "evaluate": lambda net: core.evaluate(net, data),
    }


STORING = {"save", "save_pt", "load_weights"}
"""A program's weights can be stored all the same."""

MEASURING = {"evaluate"}
"""A net that runs can be measured, whatever it is made of."""


@pytest.mark.parametrize(
    ("make", "said", "allowed"),
    [
        (peoples_nets.scripted, SCRIPT, STORING),
        (peoples_nets.traced, SCRIPT, STORING),
        (peoples_nets.exported, EXPORT, STORING),
        (peoples_nets.on_meta, META, set()),
        (peoples_nets.OfAProgram, "features of OfAProgram is a TorchScript", STORING | MEASURING),
        (peoples_nets.CannotBeListed, r"parameters\(\) raised ValueError: no parameters", set()),
        (peoples_nets.CannotBeStored, r"state_dict\(\) raised OwnStop: no state today", MEASURING),
    ],
)
def test_every_call_refuses_it_with_one_line(
    make: Callable[[], nn.Module], said: str, allowed: set[str], data: core.Splits, tmp_path: Path
) -> None:
    net = make()
    for name, call in calls(data, tmp_path).items():
        if name not in allowed:
            with pytest.raises(InputError, match=said):
                call(net)
    assert not list(tmp_path.iterdir())


def test_state_that_is_no_tensor_stays_in_the_net(data: core.Splits, tmp_path: Path) -> None:
    net = peoples_nets.KeepsExtraState()
    torch.save(net.state_dict(), tmp_path / "plain.pt")
    for call in calls(data, tmp_path).values():
        call(net)
    assert net.scale == {"logits": 2.0}
    other = peoples_nets.KeepsExtraState()
    other.scale = {"logits": 3.0}
    for name in ("net.fw", "net.pt", "plain.pt"):
        core.load_weights(other, tmp_path / name)
    assert torch.equal(other.fc1.weight, net.fc1.weight)
    assert other.scale == {"logits": 3.0}


def test_a_quantized_net_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    net = quantized()
    torch.save({}, path := tmp_path / "plain.pt")
    for call in (
        lambda: core.save(net, tmp_path / "net.fw"),
        lambda: core.save(net, tmp_path / "net.pt"),
        lambda: core.load_weights(net, path),
        lambda: core.from_torch_prune(net),
    ):
        with pytest.raises(InputError, match=QUANTIZED):
            call()
    assert list(tmp_path.iterdir()) == [path]


def test_what_runs_or_is_stored_is_not_refused(data: core.Splits, tmp_path: Path) -> None:
    assert core.evaluate(peoples_nets.OfAProgram(), data).test == pytest.approx(10)
    assert core.save(peoples_nets.scripted(), tmp_path / "net.pt") > 0
    check_form(torch.fx.symbolic_trace(peoples_nets.Plain()))
    check_form(nn.Sequential(nn.Flatten(), torch.jit.script(nn.ReLU()), nn.Linear(256, 10)))
