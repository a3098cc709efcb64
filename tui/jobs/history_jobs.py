"""The history's file operations, each in its own thread so that a slow disk blocks no key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import InputError
from core.events import Progress, StopFlag, Stream
from core.experiments.experiment import Experiment
from core.experiments.runs import Run
from tui.state.run_rows import RunRow

if TYPE_CHECKING:
    from core.pruning.what_if import Profile

T = TypeVar("T")


def as_stream(work: Callable[[], T]) -> Callable[[StopFlag], Stream[T]]:
    """Wrap a function as a stream that has no events and cannot be stopped."""

    def stream(_: StopFlag) -> Stream[T]:
        yield from ()
        return work()

    return stream


def read_rows(experiment: Experiment, _: StopFlag) -> Stream[tuple[RunRow, ...]]:
    """All runs; raises InputError if the folder cannot be read."""
    from tui.plots.drawing import canvas

    yield Progress("reading the runs")
    canvas.load_plotext()  # so that the first plot need not wait for it
    number, runs = experiment.read()
    rows = list[RunRow]()
    for done, run in enumerate(runs, 1):
        rows += [RunRow.of(run)] if run else []
        yield Progress("reading the runs", done, number, "runs")
    return tuple(rows)


def annotate(experiment: Experiment, run: Run, note: str) -> str:
    """Save a note; raises InputError on failure."""
    experiment.annotate(run, note)
    return f"note saved for run {run.id}" if note.strip() else f"note removed from run {run.id}"


def delete(experiment: Experiment, run: Run) -> str:
    """Delete a run; raises InputError on failure."""
    experiment.delete(run)
    return f"run {run.id} deleted"


def profiles(runs: tuple[Run, ...], layer: str) -> dict[tuple[str, str], Profile | str]:
    """The weights of a layer in some runs, by run and layer, or the reason there are none."""
    results: dict[tuple[str, str], Profile | str] = {}
    for run in runs:
        try:
            results[run.id, layer] = _profile(run, layer)
        except InputError as error:
            results[run.id, layer] = str(error)
    return results


def _profile(run: Run, name: str) -> Profile:
    """Read one tensor of a file and no other."""
    if not run.finished:
        raise InputError(f"run {run.id} is {run.status}: {run.problem or 'no weights yet'}")
    try:
        run.check_weights()
    except InputError as error:  # too long for a panel
        raise InputError(f"run {run.id}: its weights file is damaged") from error
    import numpy as np
    from safetensors import SafetensorError, safe_open

    from core.nets.layers import Layer
    from core.pruning.what_if import Profile

    layer = Layer(name, (), 0, 0)
    try:
        with safe_open(run.weights_path, framework="numpy") as file:
            weight: Any = file.get_tensor(layer.key)
    except (OSError, SafetensorError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"run {run.id}: {why}") from error
    except (AttributeError, TypeError) as error:  # a number format NumPy lacks
        raise InputError(f"run {run.id}: the weights of {name} have an unknown type") from error
    weight = np.asarray(weight, dtype=np.float32)
    weight = weight[np.isfinite(weight)]
    return Profile.of(Layer(name, weight.shape, weight.size, weight.size), weight)
