"""The results of a benchmark: latency and costs by engine, and their JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.events import Event
from core.nets.footprint import BYTES_PER_VALUE
from core.system.timing import Latency

BATCHES = (1, 64)
SECONDS = 20.0
"""Approximate duration of a benchmark, unless the net is slow."""

SPARSE = "sparse"
"""The net in its fastest form, sparse or not, see `core.inference.sparse`."""


@dataclass(frozen=True, slots=True)
class Row:
    """The latency of a batch of images in an engine of `core.inference.engines` or `SPARSE`."""

    engine: str
    batch: int
    threads: int
    latency: Latency
    runs: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """A cost of a net: with all weights, with nonzeros only, and without dead units if known."""

    dense: int
    pruned: int
    compacted: int | None


@dataclass(frozen=True, slots=True)
class SparseChoice:
    """What the engine `sparse` chose in one case.

    The kernels run `layers`, out of those they support (`of`), with `block` images per pass;
    `compacted` is whether dead units were removed.
    """

    batch: int
    threads: int
    layers: tuple[str, ...]
    of: tuple[str, ...]
    compacted: bool
    block: int


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark, possibly stopped early, with one thread and with `threads`.

    `macs` are multiplications per image, `fastest` is what `sparse` chose in each case, and
    `missing` says why an engine was skipped.
    """

    threads: int
    macs: Amounts
    parameters: Amounts
    rows: tuple[Row, ...] = ()
    fastest: tuple[SparseChoice, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def cases(self) -> tuple[tuple[int, int], ...]:
        """Batch sizes and threads, in the order of measurement."""
        return tuple(dict.fromkeys((row.batch, row.threads) for row in self.rows))

    def row(self, engine: str, batch: int, threads: int) -> Row | None:
        """The row of a case, if it has been measured."""
        key = (engine, batch, threads)
        return next((row for row in self.rows if (row.engine, row.batch, row.threads) == key), None)

    def best_dense(self, batch: int, threads: int) -> Row | None:
        """The fastest dense engine."""
        rows = (row for row in self.rows if (row.batch, row.threads) == (batch, threads))
        dense = (row for row in rows if row.engine != SPARSE)
        return min(dense, key=lambda row: row.latency.median, default=None)

    def gain(self, row: Row) -> float | None:
        """Speed relative to the best dense engine; below 1 is slower."""
        best = self.best_dense(row.batch, row.threads)
        return None if best is None else best.latency.median / row.latency.median


@dataclass(frozen=True, slots=True)
class BenchmarkUpdated(Event):
    """A benchmark has finished another case."""

    benchmark: Benchmark


def benchmark_report(model: str, dataset: str, bench: Benchmark) -> dict[str, Any]:
    """What `featherweight bench --json` writes: seconds, and bytes of float32 values.

    A row's `gain` is its speed relative to the best dense engine with its batch size and threads.
    `low` and `high` are the 10th and 90th percentiles of its runs.
    """
    parameters = asdict(bench.parameters)
    return {
        "model": model,
        "dataset": dataset,
        "precision": "fp32",
        "threads": bench.threads,
        "rows": [
            {
                **{key: getattr(row, key) for key in ("engine", "batch", "threads")},
                **asdict(row.latency),
                "runs": row.runs,
                "gain": bench.gain(row),
            }
            for row in bench.rows
        ],
        "macs": asdict(bench.macs),
        "parameters": parameters,
        "bytes": {key: count and BYTES_PER_VALUE * count for key, count in parameters.items()},
        "sparse": [asdict(choice) for choice in bench.fastest],
        "versions": dict(bench.versions),
        "missing": dict(bench.missing),
        "stopped": bench.stopped,
    }
