"""Memory ownership: jobs read weights in place, change none and keep none."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.data.batches import Images, Splits
from core.errors import StoppedError
from core.events import Event, Stream, drain
from core.jobs import measurement
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.workbench import Workbench
from core.nets.architectures import Cnn5
from core.pruning.curves import SampleUpdated
from core.pruning.plans import Plan, uniform_plan
from core.settings.settings import Settings
from tests.core.jobs.conftest import small
from tests.core.training_loops import same

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]

WRITES = """
from torch import nn
import torch.nn.functional as F

class Net(nn.Module):
    '''Binds its weights every time that it runs, as some nets do.'''

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(784, 10)

    def forward(self, x):
        self.head.weight.data.clamp_(-0.01, 0.01)
        return self.head(x.flatten(1))
"""


@pytest.fixture(scope="module", autouse=True)
def few_images() -> Iterator[None]:
    whole = Splits.of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield


@pytest.fixture(scope="module")
def workbench(data_dir: Path) -> Workbench:
    return Workbench(Settings(data_dir=data_dir, precision="fp32"))


@pytest.fixture(scope="module")
def base(workbench: Workbench) -> Net:
    return drain(open_dense_net(workbench))


PLAN = uniform_plan(0.7, ("conv1", "conv2", "conv3", "fc1", "fc2"))

JOBS: dict[str, Callable[[Workbench, Net, Any], Stream[Any]]] = {
    "prune": lambda workbench, base, stop: measurement.prune(workbench, base, PLAN, stop),
    "look": lambda workbench, base, stop: measurement.sample(workbench, base, PLAN, stop),
    "compare": lambda workbench, base, stop: measurement.compare(
        workbench, base, base, PLAN, "wrong", 0, stop=stop
    ),
    "count": lambda workbench, base, stop: measurement.count_activity(workbench, base, PLAN, stop),
    "activity": lambda workbench, base, stop: measurement.activity(
        workbench, base.weights, stop=stop
    ),
    "scan": lambda workbench, base, stop: measurement.scan(
        workbench, base.weights, sparsities=(0.5,), stop=stop
    ),
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
@pytest.mark.parametrize("stopped", [False, True])
def test_a_job_leaves_the_weights_as_they_were_and_keeps_no_net(
    job: Callable[[Workbench, Net, Any], Stream[Any]],
    stopped: bool,
    workbench: Workbench,
    base: Net,
) -> None:
    before = {name: tensor.clone() for name, tensor in base.weights.items()}
    places = {name: tensor.data_ptr() for name, tensor in base.weights.items()}
    gc.collect()
    gc.disable()
    try:
        _to_the_end(job(workbench, base, lambda: stopped))
        assert _nets_with_other_weights(base) == 0
    finally:
        gc.enable()
    assert same(base.weights, before)
    assert places == {name: tensor.data_ptr() for name, tensor in base.weights.items()}


def _to_the_end(stream: Stream[Any]) -> None:
    with suppress(StoppedError):
        drain(stream)


def _nets_with_other_weights(base: Net) -> int:
    """Live models whose weights have their own memory; the garbage collector is not run."""
    shared = base.weights["fc1.weight"].data_ptr()
    weights = [net.fc1.weight for net in gc.get_objects() if type(net) is Cnn5]
    return sum(not weight.is_meta and weight.data_ptr() != shared for weight in weights)


def test_inference_reads_weights_without_copying(workbench: Workbench, base: Net) -> None:
    asked = workbench.models.for_inference(base.weights)
    for name, parameter in asked.named_parameters():
        assert parameter.data_ptr() == base.weights[name].data_ptr()
        assert not parameter.requires_grad, "nobody can train it"
    pruned = drain(measurement.pruned_net(workbench, base, PLAN))
    for name, parameter in pruned.named_parameters():
        assert parameter.data_ptr() != base.weights[name].data_ptr()


def test_a_user_net_writes_only_into_a_copy_of_its_weights(tmp_path: Path, data_dir: Path) -> None:
    code = tmp_path / "writes.py"
    code.write_text(WRITES, encoding="utf-8")
    weights = tmp_path / "writes.pt"
    given = {"head.weight": torch.randn(10, 784), "head.bias": torch.zeros(10)}
    torch.save(given, weights)
    settings = Settings(model=f"{code}:Net", weights=weights, data_dir=data_dir, precision="fp32")
    own = Workbench(settings)
    base = drain(open_dense_net(own))
    plan: Plan = {"head": 0.5}
    drain(measurement.sample(own, base, plan))
    drain(measurement.prune(own, base, plan))
    drain(measurement.activity(own, base.weights))
    assert same(base.weights, given)


def test_interleaved_measurements_do_not_interfere(workbench: Workbench, base: Net) -> None:
    """One runs in the middle of the other, like a background measurement."""
    alone: list[Event] = []
    drain(measurement.sample(workbench, base, PLAN), alone.append)
    events: list[Event] = []
    stream = measurement.sample(workbench, base, PLAN)
    while True:
        try:
            events.append(next(stream))
        except StopIteration:
            break
        drain(measurement.prune(workbench, base, uniform_plan(1.0, tuple(PLAN))))
    assert [event for event in events if isinstance(event, SampleUpdated)] == alone


def test_finding_out_the_precision_takes_few_large_images(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def resolve(name: str, build: Callable[[], nn.Module], images: torch.Tensor, _: Any) -> Any:
        asked.append(len(images))
        return name
        yield

    monkeypatch.setattr("core.jobs.workbench.resolve_precision", resolve)
    for side in (1, 224):
        pixels = torch.zeros(300, 3, side, side, dtype=torch.uint8)
        images = Images(pixels, torch.zeros(300, dtype=torch.int64), 0.5, 0.5)
        other = Workbench(workbench.settings)
        drain(other.precision(Splits(images, images, images)))
    assert asked == [256, 3]
