"""What the driver spends on a checkpoint of ResNet-50.

`tests/benchmarks/README.md` computes from it what limits a sweep on many GPUs.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import torch
from torchvision.models import resnet50

from core.executors.packed import PackedCheckpoint
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.memory import in_fresh_process, peak_of
from tests.benchmarks.sweep.scripted import Script

COPIES = 4
"""Weights, those of the best epoch, and two moments of AdamW; masks are not counted."""

ROUNDS = 3
LEAST = 100.0
MOST = 4.5


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """Bytes a second that the driver stores, by its CPU time, and the memory it needs for them."""
    packed = checkpoint()
    megabytes, cpu = len(packed.tensors) / 1e6, []
    start = perf_counter()
    with TemporaryDirectory() as folder, Experiment(Path(folder)).begin(RunRecord()) as writer:
        for _ in range(ROUNDS):
            before = process_time()
            arrived = packed.unpacked()
            writer.checkpoint(arrived.tensors, (), arrived.json)
            cpu.append(process_time() - before)
        writer.abandon()
    detail = {"megabytes": megabytes, "cpu": min(cpu), "seconds": (perf_counter() - start) / ROUNDS}
    copies = in_fresh_process(__name__, "memory_needed")
    what = f"checkpoints of ResNet-50, {megabytes:.0f} MB each"
    rate, stored = megabytes / min(cpu), f"{what}, stored by the driver, by CPU time"
    memory = f"{what}, peak memory of the driver in copies of one"
    return [
        Figure("sweep_checkpoint", stored, rate, " MB/s", LEAST, True, detail),
        Figure("sweep_checkpoint_memory", memory, copies, "", MOST, False),
    ]


def checkpoint() -> PackedCheckpoint:
    """As it arrives from a worker."""
    with torch.device("meta"):
        elements = sum(parameter.numel() for parameter in resnet50().parameters())
    return PackedCheckpoint.of(Script(elements=elements, copies=COPIES).checkpoint([]))


def memory_needed() -> float:
    """Peak memory of storing one, in copies of it; it is there already, and counted as one."""
    packed = checkpoint()

    def store() -> None:
        with TemporaryDirectory() as folder, Experiment(Path(folder)).begin(RunRecord()) as writer:
            arrived = packed.unpacked()
            writer.checkpoint(arrived.tensors, (), arrived.json)
            writer.abandon()

    return 1 + peak_of(store) / len(packed.tensors)
