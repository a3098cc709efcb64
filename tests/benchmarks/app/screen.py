"""The lag of the app's event loop during a fine-tuning.

The real app in a terminal of 80x24: MNIST, the shipped net, the aggressive plan and the recipe
`fast`. Nothing is compared: the limit is a lag that a hand does not feel.
"""

from __future__ import annotations

from tests.benchmarks.support.figures import Figure
from tests.benchmarks.support.watched import IDLE, summary, watched

SECONDS = 25.0
"""How long the fine-tuning is watched; the idle screen is watched half as long."""


def figures(wanted: tuple[str, ...]) -> list[Figure]:
    with watched() as (terminal, lags):
        terminal.wait_for("ready:", seconds=300)
        terminal.press("m", "down", "enter")
        terminal.wait_for("36.88x")
        terminal.read(SECONDS / 2)
        terminal.press("f")
        terminal.wait_for("epoch 1 of", "loss", seconds=300)
        terminal.read(SECONDS)
        terminal.press("x")
        terminal.wait_for("stopped early", seconds=120)
        terminal.press("q")
        terminal.wait(60)
        measured = lags()
    detail = {
        **summary(measured["fine-tuning"], "finetuning"),
        **summary(measured[IDLE], "idle"),
        "samples": len(measured["fine-tuning"]),
    }
    return [
        Figure(
            key="loop_lag_p99",
            what="lag of the event loop while fine-tuning, 99th percentile",
            value=detail["finetuning_p99_ms"],
            unit=" ms",
            limit=10,
            at_least=False,
            detail=detail,
        )
    ]
