"""How late the app's event loop is while a net is fine-tuned.

The real app, followed live in a terminal of 80x24: MNIST, the shipped net, the aggressive plan and
the recipe `fast`. Nothing is compared: the limit is what a hand does not feel.
"""

from __future__ import annotations

from tests.benchmarks.figures import Figure
from tests.benchmarks.watched import IDLE, summary, watched

SECONDS = 25.0
"""How long the fine-tuning is followed, and half as long the idle screen."""


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
        late = lags()
    detail = {
        **summary(late["fine-tuning"], "finetuning"),
        **summary(late[IDLE], "idle"),
        "looks": len(late["fine-tuning"]),
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
