"""The command `search`: its table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from core.jobs.search import Found
from tui.text.format import percent


def print_search(found: Found, console: Console) -> None:
    """Every trial, and the lightest that was good."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("trial", "ratio", "validation %", "test %", "within", "run"):
        table.add_column(name, justify="left" if name == "within" else "right")
    for trial in found.trials:
        accuracy = trial.result.accuracy
        table.add_row(
            str(trial.number),
            f"{trial.asked:.1f}x",
            percent(accuracy.validation),
            percent(accuracy.test),
            "yes" if trial.good else "no",
            trial.result.run or "",
        )
    console.print(table)
    console.print(_summary(found), markup=False)


def _summary(found: Found) -> str:
    early = "; stopped early" * found.stopped
    goal = f"{percent(found.least)} % on validation"
    if found.best is None:
        return f"no net tried reached {goal}{early}"
    accuracy = found.best.result.accuracy
    return (
        f"the lightest with at least {goal}: {found.best.asked:.1f}x, "
        f"validation {percent(accuracy.validation)} %, test {percent(accuracy.test)} %{early}"
    )
