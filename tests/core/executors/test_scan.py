"""Scans in portions have the points of a scan in this process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.events import Event, drain
from core.executors.scan import scan_on
from core.executors.work.layer_scan import LayerScan
from core.jobs.dense_net import dense_weights
from core.jobs.workbench import Workbench
from core.nets.weights import Weights
from core.pruning.curves import Scan, ScanUpdated
from tests.core.executors.places import Places, bench
from tests.core.training_loops import of_type

__all__ = ["bench"]

pytestmark = pytest.mark.slow

SPARSITIES, UNIFORM = (0.5, 0.8, 0.95), (0.5, 0.9)


@pytest.fixture(scope="module")
def weights(bench: Workbench) -> Weights:
    return drain(dense_weights(bench)).weights


@pytest.mark.parametrize(
    ("repair", "within"), [("recalibrate", None), ("reconstruct", None), ("recalibrate", 20.0)]
)
def test_portions_add_up_to_the_scan_of_all_layers(
    bench: Workbench, weights: Weights, repair: str, within: float | None
) -> None:
    bench = bench.with_settings(replace(bench.settings, repair=repair))
    wanted = LayerScan("validation", SPARSITIES, UNIFORM, within)
    whole = drain(wanted.scan(bench, weights))
    assert whole.repair == repair
    events: list[Event] = []
    executor = Places(bench, 2)
    scan = drain(scan_on(executor, bench, weights, wanted), events.append)
    assert executor.most == 2
    assert scan == whole
    assert list(scan.layers) == list(whole.layers)
    assert len(of_type(ScanUpdated, events)) == 1 + len(whole.layers)


def test_a_stopped_scan_keeps_what_was_measured(bench: Workbench, weights: Weights) -> None:
    events: list[Event] = []

    def stop() -> bool:
        return bool(of_type(ScanUpdated, events))

    wanted = LayerScan(sparsities=SPARSITIES)
    stream = scan_on(Places(bench, 1), bench, weights, wanted, stop)
    scan: Scan = drain(stream, events.append)
    first, *others = scan.layers.values()
    assert scan.stopped
    assert {point.images for point in first} == {scan.images}
    assert all(point.accuracy is None for points in others for point in points)
    assert [point.sparsity for point in others[0]] == list(SPARSITIES)
