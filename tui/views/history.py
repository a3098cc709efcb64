"""The history's texts around its table: title, details and hint."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from core.events import Accuracy
from core.experiments.runs import DONE, INTERRUPTED, RUNNING, UNREADABLE
from tui.keys.keymap import with_keys
from tui.state.run_list import RunList
from tui.state.run_rows import RunRow
from tui.system.paths import with_tilde
from tui.text.format import are_few, count, plural, score
from tui.text.lines import Lines, Span, clean, cut
from tui.views.run_table import arrow, epochs, seed, when, whole

_UNBROKEN = "\u00a0"
"""A space at which no line ends, so that none begins with a separator."""

ABOUT = 2
"""Lines about a run; one more for its sizes if there is room."""


def title(run_list: RunList, folder: Path, width: int) -> Lines:
    """One line: number of runs, sort order and folder."""
    name, rows = " Featherweight ", run_list.rows
    size = "" if rows is None else plural(len(rows), "run") if rows else "no runs"
    order = f" by {run_list.column} {arrow(run_list)}" if rows and len(rows) > 1 else ""
    details = "  " + " · ".join(filter(None, ("history", size + order)))
    room = width - len(name) - len(details) - 3
    where = f" · {shorten_middle(with_tilde(folder), folder.name, room)}" if room >= 8 else ""
    return ((Span(name, "brand"), Span(cut(details + where, width - len(name)), "plain")),)


def shorten_middle(path: str, name: str, width: int) -> str:
    """Shorten the middle of a path; its beginning and its last part matter most."""
    if len(path) <= width:
        return path
    if width < 1:
        return ""
    right = min(width - 1, max(len(name) + 1, (width - 1) * 2 // 3))
    return f"{path[: width - 1 - right]}…{path[len(path) - right :]}"


def about(row: RunRow, current: str | None, width: int, height: int) -> Lines:
    """A run's details in at most `height` lines; the last ones are for sizes and note.

    Where not all fit, the least important details are left out as a whole.
    """
    room, start = max(10, width - 3), f"{row.id}  "
    indent = " " * len(start)
    files = sizes(row) if height > ABOUT else ""
    while len(indent + files) > room and " · " in files:
        files = files.rpartition(" · ")[0]
    below = [text for text in (files, clean(row.note)) if text]
    below = below[: max(0, height - 1)]
    details = {name: text for name, text in _details(row, current).items() if text}
    lines = _fitted(details, start, room, height - len(below))
    lines += [cut(indent + text, room) for text in below]
    return tuple((Span(f"  {line}", "muted"),) for line in lines)


def _fitted(details: dict[str, str], start: str, room: int, height: int) -> list[str]:
    """The details in lines, without as many dispensable ones as it takes."""
    for name in ("", *_DISPENSABLE):
        details.pop(name, "")
        text, indent = f"{_UNBROKEN}· ".join(details.values()), " " * len(start)
        broken = wrap(text, room, initial_indent=start, subsequent_indent=indent)
        lines = [line.replace(_UNBROKEN, " ") for line in broken]
        if len(lines) <= height:
            break
    return _at_most(lines, height, room)


def sizes(row: RunRow) -> str:
    """The sizes of a run's net, most important first; empty if none are recorded."""
    recorded, small = row.record.sizes, row.quantized
    files = (
        (small and small.bytes, f"quantized ({score(small.accuracy)} %)" if small else ""),
        (row.compact, "lossless"),
        (recorded and recorded.values, "values only"),
        (recorded and recorded.han2015, "values + positions"),
        (recorded and recorded.zip, "zipped"),
        (recorded and recorded.dense, "dense"),
    )
    known = " · ".join(f"{count(size)} {name}" for size, name in files if size)
    return f"bytes: {known}" if known else ""


def _at_most(lines: list[str], height: int, room: int) -> list[str]:
    """The first lines, with an ellipsis if there are more."""
    if len(lines) <= height:
        return lines
    return [*lines[: height - 1], cut(f"{lines[height - 1]}…", room)] if height > 0 else []


def _interval(accuracy: Accuracy | None) -> str:
    """How exact the accuracies are, if there are few images."""
    if accuracy is None or not are_few(accuracy.images[1]):
        return ""
    return f"test {score(accuracy)} % ({plural(accuracy.images[1], 'image')})"


def _states(row: RunRow) -> str:
    """The test accuracies of every state of a net that was reconstructed."""
    if row.record.reconstruction is None:
        return ""
    words = {"finetuned": "fine-tuned"}
    stages = row.record.measured.items()
    return "test " + ", ".join(f"{words.get(name, name)} {score(one)}" for name, one in stages)


_DISPENSABLE = ("precision", "seed", "when", "kind", "epochs", "base", "parameters", "recipe")
"""The details that may be left out, the first ones first: the table has most of them."""


def _details(row: RunRow, current: str | None) -> dict[str, str]:
    """By name, in order; empty if there is nothing to say."""
    if row.status == UNREADABLE:
        return {"problem": row.problem}
    nonzero, parameters = row.record.nonzero, row.record.parameters
    weights = nonzero is not None and parameters is not None
    return {
        "here": "on the main screen" if row.id == current else "",
        "status": "" if row.status == DONE else row.status,
        "when": when(row.created) if row.created else "",
        "kind": row.kind or "",
        "recipe": row.recipe_and_method or "",
        "accuracy": _states(row) or _interval(row.accuracy),
        "epochs": f"{epochs(row)} epoch{'' if epochs(row) == '1' else 's'}" if row.epochs else "",
        "seed": f"seed {seed(row)}" if seed(row) else "",
        "base": "" if row.trained else f"from {f'run {row.base}' if row.base else 'the dense net'}",
        "precision": row.precision or "",
        "parameters": f"{whole(nonzero)} of {whole(parameters)} parameters" if weights else "",
        "damage": row.damage,
    }


def hint(run_list: RunList, current: str | None) -> Span:
    """What Enter does with the selected run or, if one is marked, how to compare."""
    row = run_list.selected
    if row is None:
        return Span("", "muted")
    if run_list.marked == row.id:
        return Span(
            with_keys(
                f"run {row.id} marked: select another to compare · {{history.mark}} to unmark"
            ),
            "compared",
        )
    if run_list.marked and run_list.compared is None:
        return Span(f"run {row.id} cannot be compared with run {run_list.marked}", "warning")
    return _enter(row, current)


def _enter(row: RunRow, current: str | None) -> Span:
    if row.status == UNREADABLE:
        return Span(with_keys("unreadable: press {history.delete} to delete it"), "error")
    if row.status == RUNNING:
        return Span("still running: you can open it once it finishes", "working")
    if row.status == INTERRUPTED:
        return _resume(row)
    here = " (now on the main screen)" if row.id == current else ""
    net = "dense net" if row.trained else "net"
    return Span(with_keys(f"{{history.continue}}: continue from this {net}{here}"), "good")


def _resume(row: RunRow) -> Span:
    done, planned = len(row.epochs), row.planned
    if not row.run.resumable:
        return Span(
            with_keys(
                "interrupted, and its checkpoint is damaged: press {history.delete} to delete it"
            ),
            "warning",
        )
    if not done:
        return Span(
            with_keys("{history.continue}: start over; it was interrupted in its first epoch"),
            "good",
        )
    if planned is not None and done >= planned:
        return Span(
            with_keys("{history.continue}: resume; all epochs are done, only measuring is left"),
            "good",
        )
    of = "" if planned is None else f" of {planned}"
    return Span(with_keys(f"{{history.continue}}: resume at epoch {done + 1}{of}"), "good")


def welcome(folder: Path, width: int, height: int) -> Lines:
    """The text shown while there are no runs: what is recorded, and where."""
    paragraphs = (
        ("No runs yet", "title"),
        (with_keys("Every fine-tuning ({fine-tune}) and training ({train}) is recorded while it "
         "runs: its settings, sparsities, epochs, accuracies and weights."), "plain"),
        (f"Runs are stored in {folder}", "plain"),
        (with_keys("{history.back} back"), "hint"),
    )  # fmt: skip
    return centered(paragraphs, width, height)


def failure(problem: str, width: int, height: int) -> Lines:
    """The text shown if the runs cannot be read."""
    title, back = ("Cannot read the runs", "title"), (with_keys("{history.back} back"), "hint")
    return centered((title, (problem, "error"), back), width, height)


def centered(paragraphs: Sequence[tuple[str, str]], width: int, height: int) -> Lines:
    """Paragraphs with their roles, wrapped, in the middle of an area."""
    room = max(10, min(width - 4, 76))
    lines: list[Span] = []
    for text, role in paragraphs:
        lines += [Span("", "plain")] * bool(lines)
        lines += [Span(line, role) for line in wrap(clean(text), room)]
    if len(lines) > height:
        lines = [span for span in lines if span.text]
    margin = " " * max(0, (width - max(len(span.text) for span in lines)) // 2)
    above = ((),) * max(0, (height - len(lines)) // 2)
    return (*above, *((Span(margin + text, role),) for text, role in lines))[:height]


def hint_lines(span: Span, width: int, height: int) -> Lines:
    """The hint on one line or, if it is an error, on as many as it needs up to `height`."""
    room = max(10, width - 3)
    lines = [cut(span.text, room)]
    if span.role == "error":
        lines = _at_most(wrap(span.text, room, break_on_hyphens=False), height, room)
    return tuple((Span(f"  {line}", span.role),) for line in lines)
