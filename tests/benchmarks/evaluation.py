"""Evaluating the 10,000 test images, against the notebook's way; the counts have to be equal."""

from __future__ import annotations

from statistics import median

from core.batches import Splits
from core.datasets import default_data_dir, load
from core.evaluation import count_correct
from core.events import drain
from core.settings import Settings
from core.weights import load_weights
from core.workbench import Workbench
from tests.benchmarks import plain
from tests.benchmarks.figures import Figure, in_turns, medians


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """The shipped net on the test set, seven rounds."""
    bench = Workbench(Settings())
    data = Splits.of(drain(load("mnist")), bench.device)
    precision = drain(bench.precision(data))
    model = bench.spec.build()
    model.load_state_dict(load_weights(bench.spec.shipped_weights, model))
    batches = plain.loader(default_data_dir(), train=False, batch_size=256)
    counts: dict[str, int] = {}

    def plainly() -> None:
        counts["plain"] = plain.count_correct(model, batches)

    def ours() -> None:
        counts["ours"] = drain(count_correct(model, data.test, precision=precision))

    seconds = in_turns({"plain": plainly, "ours": ours}, rounds=7)
    if counts["plain"] != counts["ours"]:
        raise AssertionError(f"the counts of correct images differ: {counts}")
    ratio = median(p / o for p, o in zip(seconds["plain"], seconds["ours"], strict=True))
    detail = {**medians(seconds), "correct": counts["ours"]}
    what = "10,000 images, same count as fp32, against the notebook's loop"
    return [Figure("evaluation", what, ratio, "x", 2.5, True, detail)]
