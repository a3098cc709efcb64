"""The times of layers: which are timed, what is left to the rest, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from core.errors import InputError, StoppedError
from core.events import Progress, drain
from core.inference.sparse import layer_times
from core.inference.sparse.layer_times import SPARSITIES, calibrated, time_layers
from core.nets.layers import prunable_layers
from core.nets.weights import copy_weights
from core.pruning.budgets.costs import NetCosts
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from core.system.timing import Alternative

pytestmark = pytest.mark.usefixtures("one_thread")

IMAGE = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class Residual(nn.Module):
    """A net with BatchNorm, a layer that is called twice, and one that no kernel supports."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.odd = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.last = nn.Linear(4 * 64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = self.odd(torch.relu(self.twice(torch.relu(self.twice(x)))) + x)
        logits: torch.Tensor = self.last(torch.flatten(x, 1))
        return logits


def pruned(net: nn.Module) -> Callable[[float], nn.Module]:
    layers, weights = prunable_layers(net), copy_weights(net)

    def at(sparsity: float) -> nn.Module:
        masks = Masks.of(weights, layers, uniform_plan(sparsity, [la.name for la in layers]))
        other = deepcopy(net)
        other.load_state_dict(masks.apply(weights))
        return other

    return at


def timed(net: nn.Module, **more: object) -> NetCosts:
    return drain(time_layers(pruned(net), prunable_layers(net), IMAGE, 1, 0.0, **more))  # type: ignore[arg-type]


def a_millisecond_each(
    runs: Mapping[object, Alternative], *_: object
) -> Iterator[dict[object, list[float]]]:
    """Run every alternative once, and say that it took 1 ms."""
    times: dict[object, list[float]] = {key: [] for key in runs}
    for key, run in runs.items():
        run()
        times[key].append(1e-3)
        yield times


def test_layers_are_timed_by_call_and_the_rest_is_what_a_whole_net_takes_beyond_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layer_times, "time_in_turns", a_millisecond_each)
    costs = timed(Residual())
    full = {name: round(layer.costs[-1]) for name, layer in costs.layers.items()}
    assert full == {"first": 10**6, "twice": 2 * 10**6, "odd": 0, "last": 10**6}
    assert costs.layers["last"].kept == tuple(sorted({768 - round(768 * s) for s in SPARSITIES}))
    assert round(costs.fixed) == -3 * 10**6
    assert round(costs.dense) == 10**6


@given(st.lists(st.floats(1e-4, 1e-2), min_size=2, max_size=8), st.floats(0.3, 3), st.floats(0, 1))
def test_whole_nets_on_a_line_are_met(sums: list[float], factor: float, share: float) -> None:
    rest = share * factor * min(sums)
    wholes = [factor * alone + rest for alone in sums]
    slope, fixed = calibrated(sums, wholes)
    if max(sums) - min(sums) > 0.1 * min(wholes):
        assert slope == pytest.approx(factor, rel=1e-3)
        assert fixed == pytest.approx(rest, abs=1e-2 * min(wholes))
    else:
        assert slope == 1
        assert slope * sums[0] + fixed == pytest.approx(wholes[0], rel=0.5)


@pytest.mark.slow
def test_real_times_never_fall_and_a_net_takes_some() -> None:
    costs = timed(Residual())
    for layer in costs.layers.values():
        assert list(layer.costs) == sorted(layer.costs)
        assert list(layer.kept) == sorted(set(layer.kept))
    empty = costs.of(dict.fromkeys(costs.layers, 0))
    assert 0 <= empty <= costs.dense
    assert costs.dense > 0


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.ConvTranspose2d(1, 2, 3), nn.Flatten()),
        nn.TransformerEncoderLayer(8, 2, batch_first=True),
    ],
)
def test_a_net_that_no_kernel_runs_is_refused(net: nn.Module) -> None:
    with pytest.raises(InputError, match="pruning does not make this net faster here"):
        timed(net)


def test_a_stop_ends_it() -> None:
    with pytest.raises(StoppedError, match="before every layer was timed"):
        timed(Residual(), stop=lambda: True)


def test_progress_ends_with_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_times, "time_in_turns", a_millisecond_each)
    net, events = Residual(), []
    drain(time_layers(pruned(net), prunable_layers(net), IMAGE, 1, 0.0), events.append)
    done = [event.done for event in events if isinstance(event, Progress) and event.total]
    assert done == sorted(done)
    assert done[-1] <= max(event.total for event in events if isinstance(event, Progress))
