"""The latency of the last benchmarked net in every engine."""

from core.inference.timings import SPARSE, Amounts, Row
from tui.plots.drawing.numbers import count as short
from tui.plots.speed import SpeedData
from tui.state.state import State
from tui.text.format import gain, milliseconds, plural


def data(state: State, width: int) -> SpeedData:
    """The last benchmark, complete or not."""
    timed = state.speed
    if timed is None:
        return SpeedData()
    bench, cases = timed.bench, timed.bench.cases
    slowest_first = sorted(bench.rows, key=lambda row: (row.engine == SPARSE, -row.latency.median))
    engines = tuple(
        (engine.removeprefix("torch "), tuple(_time(bench.row(engine, *case)) for case in cases))
        for engine in dict.fromkeys(row.engine for row in slowest_first)
    )
    ours = [bench.row(SPARSE, *case) for case in cases]
    gains = [bench.gain(row) if row else None for row in ours]
    net = "fine-tuned" if timed.tuned else "pruned"
    return SpeedData(
        cases=tuple((f"batch {batch}", plural(threads, "thread")) for batch, threads in cases),
        engines=engines,
        against=tuple(gain(factor) if factor else "–" for factor in gains),
        slower=tuple(factor is not None and factor < 1 for factor in gains),
        amounts=(_amounts("MACs", bench.macs), _amounts("parameters", bench.parameters)),
        caption=net if state.speed_is_current else f"{net} (previous plan)",
    )


def _time(row: Row | None) -> str:
    return milliseconds(row.latency.median) if row else "–"


def _amounts(what: str, amounts: Amounts) -> str:
    smaller = amounts.compacted
    compacted = "" if smaller is None else f", {short(smaller)} in a smaller dense net"
    return f"{what}: {short(amounts.dense)}, {short(amounts.pruned)} nonzero{compacted}"
