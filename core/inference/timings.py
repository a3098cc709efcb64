"""How fast a net is and what it costs, engine by engine: what was measured, and its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.events import Event
from core.nets.footprint import BYTES_PER_VALUE
from core.system.timing import Latency

BATCHES = (1, 64)
SECONDS = 20.0
"""That a comparison takes, roughly, unless a net is slow."""

SPARSE = "sparse"
"""The net as it is fastest here, by its nonzeros or not, see `core.inference.sparse`."""


@dataclass(frozen=True, slots=True)
class Row:
    """How fast an engine is.

    Attributes:
        engine: one of `core.inference.engines`, which run every weight; or `SPARSE`.
        batch: images that it is given at once.
        threads: that it may use.
        latency: of one batch.
        runs: that were timed.
    """

    engine: str
    batch: int
    threads: int
    latency: Latency
    runs: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """Of something that a net costs.

    Attributes:
        dense: with all weights.
        pruned: with those that are not zero.
        compacted: of the smaller dense net without dead units; None where these cannot be told.
    """

    dense: int
    pruned: int
    compacted: int | None


@dataclass(frozen=True, slots=True)
class Fastest:
    """What the engine `sparse` does.

    Attributes:
        batch, threads: as in `Row`.
        layers: that run by their nonzeros.
        of: layers that could.
        compacted: dead units are gone.
        block: images that are computed together.
    """

    batch: int
    threads: int
    layers: tuple[str, ...]
    of: tuple[str, ...]
    compacted: bool
    block: int


@dataclass(frozen=True, slots=True)
class Bench:
    """A comparison, as far as it is.

    Attributes:
        threads: the most that were used.
        macs: multiplications for one image.
        parameters: biases and all.
        rows: a row for each engine, batch and number of threads.
        fastest: what `sparse` came to, likewise.
        versions: of the engines.
        missing: why an engine is left out.
        stopped: it was, before its end.
    """

    threads: int
    macs: Amounts
    parameters: Amounts
    rows: tuple[Row, ...] = ()
    fastest: tuple[Fastest, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def cases(self) -> tuple[tuple[int, int], ...]:
        """Batches and threads, in the order in which they were measured."""
        return tuple(dict.fromkeys((row.batch, row.threads) for row in self.rows))

    def row(self, engine: str, batch: int, threads: int) -> Row | None:
        """One row, if it has been measured."""
        wanted = (engine, batch, threads)
        return next((it for it in self.rows if (it.engine, it.batch, it.threads) == wanted), None)

    def best_dense(self, batch: int, threads: int) -> Row | None:
        """The fastest engine that runs every weight."""
        rows = (row for row in self.rows if (row.batch, row.threads) == (batch, threads))
        dense = (row for row in rows if row.engine != SPARSE)
        return min(dense, key=lambda row: row.latency.median, default=None)

    def gain(self, row: Row) -> float | None:
        """How many times as fast as the best dense engine; below 1 it is slower."""
        best = self.best_dense(row.batch, row.threads)
        return None if best is None else best.latency.median / row.latency.median


@dataclass(frozen=True, slots=True)
class Timed(Event):
    """A comparison has come so far."""

    bench: Bench


def bench_report(model: str, dataset: str, bench: Bench) -> dict[str, Any]:
    """What `featherweight bench --json` writes: seconds, and bytes of float32 values.

    A row's `gain` is how many times as fast it is as the best dense engine with its batch and
    threads. `low` and `high` are the tenths of its runs.
    """
    sizes = {"macs": bench.macs, "parameters": bench.parameters, "bytes": _bytes(bench.parameters)}
    return {
        "model": model,
        "dataset": dataset,
        "precision": "fp32",
        "threads": bench.threads,
        "rows": [_row(bench, row) for row in bench.rows],
        **{name: asdict(amounts) for name, amounts in sizes.items()},
        "sparse": [asdict(it) for it in bench.fastest],
        "versions": dict(bench.versions),
        "missing": dict(bench.missing),
        "stopped": bench.stopped,
    }


def _row(bench: Bench, row: Row) -> dict[str, Any]:
    said = {"engine": row.engine, "batch": row.batch, "threads": row.threads}
    return {**said, **asdict(row.latency), "runs": row.runs, "gain": bench.gain(row)}


def _bytes(parameters: Amounts) -> Amounts:
    dense, pruned, compacted = parameters.dense, parameters.pruned, parameters.compacted
    smaller = None if compacted is None else BYTES_PER_VALUE * compacted
    return Amounts(BYTES_PER_VALUE * dense, BYTES_PER_VALUE * pruned, smaller)
