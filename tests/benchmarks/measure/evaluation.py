"""Evaluating the 10,000 test images, against the notebook's way; both must count the same."""

from __future__ import annotations

from core.events import drain
from core.measure.evaluation import evaluate
from tests.benchmarks.support import plain
from tests.benchmarks.support.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.support.subject import subject


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """The shipped net on the test set, seven rounds."""
    cnn5 = subject()
    counts: dict[str, int] = {}

    def plain_way() -> None:
        counts["plain"] = plain.count_correct(cnn5.net, cnn5.plain_test)

    def ours() -> None:
        data = cnn5.data.test
        accuracy = drain(evaluate(cnn5.net, data, precision=cnn5.precision))
        counts["ours"] = round(accuracy * len(data) / 100)

    seconds = in_turns({"plain": plain_way, "ours": ours}, rounds=7)
    if counts["plain"] != counts["ours"]:
        raise AssertionError(f"the counts of correct images differ: {counts}")
    speedup = ratio(seconds["plain"], seconds["ours"])
    detail = {**medians(seconds), "correct": counts["ours"]}
    what = "10,000 images, same count as fp32, against the notebook's loop"
    return [Figure("evaluation", what, speedup, "x", 2.5, True, detail)]
