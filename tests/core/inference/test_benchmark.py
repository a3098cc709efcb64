"""The benchmark: engines, costs, reports."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Splits
from core.errors import StoppedError
from core.events import drain
from core.formats.onnx import to_onnx
from core.inference import benchmark, engines
from core.inference.benchmark_result import (
    SPARSE,
    Amounts,
    Benchmark,
    BenchmarkUpdated,
    Row,
    benchmark_report,
)
from core.inference.engines import Engine, NetForms
from core.nets.architectures import LeNet300
from core.nets.layers import parameter_count
from core.nets.weights import copy_weights
from core.system.timing import Alternative, Latency
from tests.core.inference.sparse.test_logits import pruned
from tests.core.training_loops import same

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
def test_every_engine_is_timed_and_costs_are_counted(few: Splits) -> None:
    net = pruned("lenet-5")
    before, updates = copy_weights(net), list[BenchmarkUpdated]()
    bench = drain(
        benchmark.run_benchmark(net, few.test, seconds=0.2),
        lambda event: updates.append(event) if isinstance(event, BenchmarkUpdated) else None,
    )
    assert same(before, copy_weights(net))
    assert bench.cases == ((1, 1), (64, 1))
    timed = [row.engine for row in bench.rows]
    assert set(timed) | set(bench.missing) == {
        *(engine.name for engine in engines.DENSE_ENGINES),
        SPARSE,
    }
    assert not {"torch", "torch channels_last", SPARSE} & set(bench.missing)
    assert all(timed.count(engine) == 2 for engine in timed)
    for row in bench.rows:
        assert 0 < row.latency.low <= row.latency.median <= row.latency.high
    assert [len(update.benchmark.rows) for update in updates] == [len(timed) // 2, len(timed)]
    # Caffe's LeNet-5: 500 x 24 x 24, 25,000 x 8 x 8, 400,000 and 5,000.
    assert bench.macs.dense == 288_000 + 1_600_000 + 400_000 + 5_000
    nonzero = sum(
        int(parameter.count_nonzero()) for parameter in net.parameters() if parameter.dim() > 1
    )
    biases = sum(parameter.numel() for parameter in net.parameters() if parameter.dim() == 1)
    assert bench.parameters.dense == parameter_count(net) == 431_080
    assert bench.parameters.pruned == nonzero + biases
    assert bench.parameters.compacted is not None
    assert nonzero < bench.parameters.compacted <= 431_080


class Attends(nn.Module):
    """Attention over the 28 rows of a digit."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.MultiheadAttention(28, 2, batch_first=True)
        self.head = nn.Linear(28, 10)

    def forward(self, x: Tensor) -> Tensor:
        rows = x[:, 0]
        logits: Tensor = self.head(self.mix(rows, rows, rows)[0].mean(1))
        return logits


def test_products_of_activations_are_multiplications_that_no_zero_weight_saves(few: Splits) -> None:
    net = Attends().eval()
    with torch.no_grad():
        net.mix.in_proj_weight[::2] = 0
    macs, _ = drain(benchmark._amounts(net, few.test))
    projection, products = 28 * 28 * 28, 2 * 28 * 28 * 28
    assert macs.dense == 4 * projection + products + 280
    assert macs.pruned == 1.5 * projection + projection + products + 280


def test_the_report_has_the_contracts_keys() -> None:
    latency = Latency(0.002, 0.001, 0.003)
    row = Row("torch", 64, 1, latency, 9)
    slow = Row(SPARSE, 64, 1, Latency(0.004, 0.003, 0.005), 5)
    bench = Benchmark(2, Amounts(100, 10, 50), Amounts(20, 5, None), (row, slow))
    report = json.loads(json.dumps(benchmark_report("cnn5", "mnist", bench)))
    assert report["threads"] == 2
    assert report["rows"][0] == {
        "engine": "torch", "batch": 64, "threads": 1, "median": 0.002, "low": 0.001,
        "high": 0.003, "runs": 9, "gain": 1.0,
    }  # fmt: skip
    assert report["rows"][1]["gain"] == 0.5
    assert report["macs"] == {"dense": 100, "pruned": 10, "compacted": 50}
    assert report["bytes"] == {"dense": 80, "pruned": 20, "compacted": None}


def _absent(_forms: NetForms, _images: Tensor, _threads: int) -> Alternative:
    raise ImportError("no such package")


def _broken(_forms: NetForms, _images: Tensor, _threads: int) -> Alternative:
    raise RuntimeError("no such operator\nand a long trace")


def _wrong(forms: NetForms, images: Tensor, _threads: int) -> Alternative:
    return lambda: engines.run(forms.net, images) + 1


def test_an_engine_that_cannot_run_the_net_is_skipped_with_the_reason(
    few: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = {"absent": _absent, "broken": _broken, "wrong": _wrong}
    others = tuple(Engine(name, "no-such-package", prepare) for name, prepare in some.items())
    monkeypatch.setattr(benchmark, "DENSE_ENGINES", (engines.DENSE_ENGINES[0], *others))
    bench = drain(benchmark.run_benchmark(LeNet300(), few.test, seconds=0.1))
    assert bench.missing.keys() == some.keys()
    assert "featherweight[engines]" in bench.missing["absent"]
    assert bench.missing["broken"].endswith("no such operator")
    assert {row.engine for row in bench.rows} == {"torch", SPARSE}


@pytest.mark.slow
def test_the_net_is_exported_once_per_batch_size(
    few: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = list[int]()

    def counting_export(net: nn.Module, images: Tensor) -> bytes:
        exported.append(len(images))
        return to_onnx(net, images)

    monkeypatch.setattr(engines, "to_onnx", counting_export)
    torch.set_num_threads(2)
    try:
        bench = drain(benchmark.run_benchmark(LeNet300(), few.test, seconds=0.1))
    finally:
        torch.set_num_threads(1)
    assert bench.cases == ((1, 1), (64, 1), (1, 2), (64, 2))
    assert bench.row("onnxruntime", 64, 2) is not None
    assert exported == [1, 64]


def test_the_stop_flag_keeps_the_finished_measurements(
    few: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "DENSE_ENGINES", engines.DENSE_ENGINES[:1])
    with pytest.raises(StoppedError):
        drain(benchmark.run_benchmark(LeNet300(), few.test, seconds=0.1, stop=lambda: True))
    updates = list[BenchmarkUpdated]()
    stream = benchmark.run_benchmark(LeNet300(), few.test, seconds=0.1, stop=lambda: bool(updates))
    bench = drain(
        stream, lambda event: updates.append(event) if isinstance(event, BenchmarkUpdated) else None
    )
    assert bench.stopped
    assert bench.cases == ((1, 1),)
    assert bench == replace(updates[0].benchmark, stopped=True)


def test_the_number_of_threads_is_restored(few: Splits) -> None:
    stream = benchmark.run_benchmark(LeNet300(), few.test, seconds=0.1)
    torch.set_num_threads(2)
    try:
        for event in stream:
            if isinstance(event, BenchmarkUpdated):
                break
        stream.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
