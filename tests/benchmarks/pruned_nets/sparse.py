"""The sparse engine on pruned nets, over the fastest installed dense engine.

The shipped weights at each net's default preset; training does not change the time.
"""

from __future__ import annotations

from core.events import drain
from core.formats.weights_files import load_weights
from core.inference.benchmark_result import SPARSE, Benchmark
from core.jobs import measurement
from core.jobs.workbench import Workbench
from core.pruning.masks import Masks
from core.pruning.presets import default_preset, preset_plan
from core.settings.settings import Settings
from tests.benchmarks.support.figures import Figure

NETS = {
    "sparse_batch1": ("cnn5", (1,), 3.0),
    "sparse_batch64": ("cnn5", (64,), 3.0),
    "sparse_lenet_300_100": ("lenet-300-100", (1, 64), 1.0),
    "sparse_lenet_5": ("lenet-5", (1, 64), 1.0),
}
"""The net, the batch sizes, and the speedup it must reach at each of them."""

SECONDS = 30.0


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """One comparison per net."""
    benches = {name: _timed(name) for name in dict.fromkeys(NETS[key][0] for key in wanted)}
    return [_figure(key, benches[NETS[key][0]]) for key in wanted]


def _timed(name: str) -> Benchmark:
    bench = Workbench(Settings(model=name, device="cpu"))
    weights = load_weights(bench.spec.shipped_weights, bench.models.uninitialized())
    plan = preset_plan(default_preset(name), name, bench.layer_names)
    pruned = Masks.of(weights, bench.layers, plan).apply(weights)
    return drain(measurement.benchmark(bench, pruned, SECONDS))


def _figure(key: str, bench: Benchmark) -> Figure:
    name, batches, limit = NETS[key]
    ours = [row for row in bench.rows if row.engine == SPARSE and row.batch in batches]
    images = " and ".join(map(str, batches))
    return Figure(
        key=key,
        what=f"{name} in the sparse engine, batch {images}, over the fastest dense engine, "
        "worse of one thread and all",
        value=min(bench.gain(row) or 0.0 for row in ours),
        unit="x",
        limit=limit,
        at_least=True,
        detail={
            f"{row.engine}, batch {row.batch}, threads {row.threads}": row.latency.median
            for row in bench.rows
        },
    )
