"""Where the work of a command runs."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace

import pytest

from tui.cli.workers.engines import note_idle_gpus


@pytest.mark.parametrize(
    ("gpus", "options", "warns"),
    [(8.0, {}, True), (8.0, {"gpus_per_trial": 0.5}, False), (None, {}, False)],
)
def test_a_cluster_whose_gpus_stay_idle_is_warned_of(
    gpus: float | None, options: dict[str, float], warns: bool
) -> None:
    resources = {"CPU": 4.0} | ({"GPU": gpus} if gpus else {})
    ray = SimpleNamespace(cluster_resources=lambda: resources)
    said = [notice.text for notice in note_idle_gpus(Namespace(**options), ray)]
    assert bool(said) == warns
    assert not list(note_idle_gpus(Namespace(), None))
