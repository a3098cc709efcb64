"""Evaluating the 10,000 test images, against the notebook's way; the counts have to be equal."""

from __future__ import annotations

from core.events import drain
from core.measure.evaluation import count_correct
from tests.benchmarks import plain
from tests.benchmarks.figures import Figure, in_turns, medians, ratio
from tests.benchmarks.subject import subject


def figures(_wanted: tuple[str, ...]) -> list[Figure]:
    """The shipped net on the test set, seven rounds."""
    it = subject()
    counts: dict[str, int] = {}

    def plainly() -> None:
        counts["plain"] = plain.count_correct(it.net, it.plain_test)

    def ours() -> None:
        counts["ours"] = drain(count_correct(it.net, it.data.test, precision=it.precision))

    seconds = in_turns({"plain": plainly, "ours": ours}, rounds=7)
    if counts["plain"] != counts["ours"]:
        raise AssertionError(f"the counts of correct images differ: {counts}")
    times = ratio(seconds["plain"], seconds["ours"])
    detail = {**medians(seconds), "correct": counts["ours"]}
    what = "10,000 images, same count as fp32, against the notebook's loop"
    return [Figure("evaluation", what, times, "x", 2.5, True, detail)]
