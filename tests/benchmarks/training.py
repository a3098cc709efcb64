"""Training cnn5, against the notebook's way; and the share of the machine's peak it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from statistics import median

import torch
import torch.nn.functional as F  # noqa: N812
from torch.utils.flop_counter import FlopCounterMode

from core.batches import Splits
from core.datasets import default_data_dir, load
from core.events import Batch, drain
from core.recipes import recipe_named
from core.settings import Settings
from core.training import train
from core.workbench import Workbench
from core.zoo import model_spec
from tests.benchmarks import plain
from tests.benchmarks.figures import Figure, in_turns, medians

STEPS = 20
GEMM = 4096


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """Twenty steps of 256 images each way, in turns with a matrix product, seven rounds."""
    bench = Workbench(Settings())
    phase = recipe_named("fast").dense
    data = Splits.of(drain(load("mnist")), bench.device)
    precision = drain(bench.precision(data))
    batches = plain.loader(default_data_dir(), train=True, batch_size=phase.batch_size)
    plain_steps = plain.training_steps(model_spec("cnn5").build(), batches, phase)
    our_steps = _our_steps(bench, data, precision)
    left, right, product = _matrices(precision)
    seconds = in_turns(
        {
            "plain": lambda: list(islice(plain_steps, STEPS)),
            "ours": lambda: list(islice(our_steps, STEPS)),
            "gemm": lambda: [torch.mm(left, right, out=product) for _ in range(STEPS // 2)],
        },
        rounds=7,
    )
    spent = medians(seconds)
    peak = (STEPS // 2) * 2 * GEMM**3 / spent["gemm"]
    flops = STEPS * _flops_of_a_step(phase.batch_size)
    detail = {
        "plain_epoch": spent["plain"] / STEPS * len(data.train) / phase.batch_size,
        "epoch": spent["ours"] / STEPS * len(data.train) / phase.batch_size,
        "gemm_gflops": peak / 1e9,
        "training_gflops": flops / spent["ours"] / 1e9,
    }
    ratio = median(p / o for p, o in zip(seconds["plain"], seconds["ours"], strict=True))
    share = 100 * flops / spent["ours"] / peak
    what = f"cnn5 in {precision}, against the notebook's loop"
    return [
        Figure("training_epoch", what, ratio, "x", 2.8, True, detail),
        Figure(
            "training_peak_share",
            f"of {GEMM} x {GEMM} x {GEMM} in {precision}",
            share,
            " %",
            70.0,
            True,
            detail,
        ),
    ]


def _our_steps(bench: Workbench, data: Splits, precision: str) -> Iterator[Batch]:
    phase = recipe_named("fast").with_dense_epochs(100).dense
    stream = train(bench.spec.build(), data, phase, precision=precision)
    return (event for event in stream if isinstance(event, Batch))


def _matrices(precision: str) -> list[torch.Tensor]:
    """Two matrices and a place for their product, so that no memory is taken while it is timed."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    return [torch.randn(GEMM, GEMM).to(kind) for _ in range(3)]


def _flops_of_a_step(images: int) -> int:
    """Forward and backward; the gradient of the pixels is not needed and not counted."""
    counter = FlopCounterMode(display=False)
    with counter:
        logits = model_spec("cnn5").build()(torch.randn(images, 1, 28, 28))
        F.cross_entropy(logits, torch.zeros(images, dtype=torch.int64)).backward()
    return counter.get_total_flops()
