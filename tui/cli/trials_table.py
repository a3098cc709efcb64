"""The trials on the way to the lightest net as a table, while they come and at the end."""

from collections.abc import Sequence

from core.lightest.trials import By, Trial
from tui.cli.number_table import NumberTable
from tui.text.format import cost_of, count, score, verdict


def trials_table(trials: Sequence[tuple[int, Trial]], by: By) -> NumberTable:
    """A row for each trial, which comes with its seed; seeds have a column if they differ."""
    seeds = len({seed for seed, _ in trials}) > 1
    headings = ("trial", "ratio", "epochs", by, "validation %", "test %", "result", "run")
    table = NumberTable(*(("seed",) * seeds), *headings, names=False)
    for seed, trial in trials:
        table.add_row(
            *((str(seed),) * seeds),
            str(trial.number),
            f"{trial.ratio:.1f}x",
            count(trial.epochs),
            "–" if trial.cost is None else cost_of(trial.cost, by),
            score(trial.accuracy, "validation"),
            score(trial.accuracy),
            verdict(trial),
            trial.result.run or "",
        )
    return table
