"""A pruned net by its nonzeros, over the fastest dense engine that is installed.

The shipped weights at the sparsities that the nets are known for; what they are trained to makes no
difference to time. Engines that are not installed are not compared with, see `engines`.
"""

from __future__ import annotations

from core.events import drain
from core.formats.weights_files import load_weights
from core.inference.timings import SPARSE, Benchmark
from core.jobs import measurement
from core.jobs.workbench import Workbench
from core.pruning.masks import Masks
from core.pruning.presets import default_preset, preset_plan
from core.settings.settings import Settings
from tests.benchmarks.figures import Figure

NETS = {
    "sparse_batch1": ("cnn5", (1,), 3.0),
    "sparse_batch64": ("cnn5", (64,), 3.0),
    "sparse_lenet_300_100": ("lenet-300-100", (1, 64), 1.0),
    "sparse_lenet_5": ("lenet-5", (1, 64), 1.0),
}
"""The net, the numbers of images, and how many times as fast it has to be at each of them."""

SECONDS = 30.0


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    """One comparison for each net."""
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
        what=f"{name} by its nonzeros, batch {images}, over the fastest dense engine, "
        "one thread or all, the lesser",
        value=min(bench.gain(row) or 0.0 for row in ours),
        unit="x",
        limit=limit,
        at_least=True,
        detail={
            f"{it.engine}, batch {it.batch}, threads {it.threads}": it.latency.median
            for it in bench.rows
        },
    )
