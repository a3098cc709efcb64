"""Damaged, unreadable and unwritable runs are reported and do not affect the others."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from core.errors import InputError
from core.experiments.experiment import Experiment
from core.experiments.run_record import RunRecord
from core.experiments.runs import Run
from core.nets.weights import weights_digest
from tests.core.experiments.recorded_runs import (
    CHECKPOINT,
    RECORD,
    RUN,
    WEIGHTS,
    epochs,
    filled,
    finished,
    interrupted,
    python,
    values,
)


class Filled(nn.Module):
    """A net of the recorded weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(10, 30)
        self.fc.bias = nn.Parameter(torch.tensor(0.0))


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, bytes]:
    """A run for many examples, and its weights file."""
    experiment = Experiment(tmp_path_factory.mktemp("flipped"))
    return experiment, finished(experiment).weights_path.read_bytes()


def done(experiment: Experiment) -> Run:
    return finished(experiment)


def broken(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def missing(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def folder_for(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return change


def pipe_for(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        make = os.mkfifo if hasattr(os, "mkfifo") else os.mkdir  # not every system has pipes
        make(folder / name)

    return change


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-1])


def header(text: str) -> Callable[[Path], object]:
    content = len(text).to_bytes(8, "little") + text.encode()
    return broken("checkpoint.safetensors", content)


DAMAGE: dict[str, tuple[Callable[[Experiment], Run], Callable[[Path], object], str]] = {
    "no report": (done, missing(RUN), "run.json is missing"),
    "empty report": (done, broken(RUN, b""), "run.json is not JSON: .*"),
    "half a report": (done, cut(RUN), "run.json is not JSON: .*"),
    "binary report": (done, broken(RUN, b"\xff\xfe\x00\xd8"), "run.json is not JSON: .*"),
    "deep report": (done, broken(RUN, b"[" * 100_000), "run.json is not JSON: .*"),
    "list for a report": (done, broken(RUN, b"[]"), "run.json is not a JSON object"),
    "NaN": (done, broken(RUN, b'{"status": "done", "a": NaN}'), "run.json .* not a finite number"),
    "1e999": (done, broken(RUN, b'{"status": "done", "a": 1e999}'), "run.json .* not a finite .*"),
    "no status": (done, broken(RUN, b"{}"), "run.json has no known status"),
    "odd status": (done, broken(RUN, b'{"status": []}'), "run.json has no known status"),
    "pickle": (done, broken(RUN, b"\x80\x04cos\nsystem\n."), "run.json is not JSON: .*"),
    "folder for a report": (done, folder_for(RUN), "run.json is not a file"),
    "pipe for a report": (done, pipe_for(RUN), "run.json is not a file"),
    "no weights": (done, missing(WEIGHTS), "weights.safetensors is missing"),
    "empty weights": (done, broken(WEIGHTS, b""), "weights.safetensors is not a safetensors file"),
    "half the weights": (done, cut(WEIGHTS), "weights.safetensors has [0-9]+ bytes, .*"),
    "pickled weights": (done, broken(WEIGHTS, b"\x80\x04" * 99), "weights.safetensors is trunc.*"),
    "pipe for weights": (done, pipe_for(WEIGHTS), "weights.safetensors is not a file"),
    "half a checkpoint": (interrupted, cut(CHECKPOINT), "checkpoint.safetensors has [0-9]+ .*"),
    "text": (interrupted, header("text"), "checkpoint.safetensors is not a safetensors file"),
    "a list": (interrupted, header("[]"), "checkpoint.safetensors is not a safetensors file"),
    "no facts": (interrupted, header("{}"), "the header of checkpoint.safetensors is not JSON: .*"),
    "a number": (
        interrupted,
        header('{"__metadata__": {"facts": 5}}'),
        "the header of checkpoint.safetensors is not JSON: .*",
    ),
    "a list of facts": (
        interrupted,
        header('{"__metadata__": {"facts": "[]"}}'),
        "the header of checkpoint.safetensors is not a JSON object",
    ),
    "odd offsets": (
        interrupted,
        header('{"a": {"data_offsets": "ab"}}'),
        "checkpoint.safetensors is not a safetensors file",
    ),
    "folder for a checkpoint": (
        interrupted,
        folder_for(CHECKPOINT),
        "checkpoint.safetensors is not a file",
    ),
    "report of an interrupted run": (interrupted, broken(RUN, b"{"), "run.json is not JSON: .*"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_run_is_listed_with_its_problem_and_can_be_deleted(
    damage: str, experiment: Experiment
) -> None:
    make, harm, problem = DAMAGE[damage]
    good, bad = finished(experiment), make(experiment)
    harm(bad.folder)
    run = experiment.newest()
    assert experiment.runs() == (good, run)
    assert (run.id, run.status, run.finished) == (bad.id, "unreadable", False)
    assert re.fullmatch(problem, run.problem or "")
    for use in (run.weights, run.check_finished, lambda: experiment.resume(run)):
        with pytest.raises(InputError, match=f"run {run.id} .* is unreadable: {problem}; restore "):
            use()
    experiment.annotate(run, "broken")
    experiment.delete(run)
    assert experiment.runs() == (good,)


def test_a_damaged_checkpoint_is_reported(experiment: Experiment) -> None:
    run = interrupted(experiment)
    cut(CHECKPOINT)(run.folder)
    with pytest.raises(InputError, match=r"cannot read .*checkpoint\.safetensors.*delete run 0001"):
        run.checkpoint()


def test_weights_damaged_later_are_reported(experiment: Experiment) -> None:
    run = finished(experiment)
    cut(WEIGHTS)(run.folder)
    with pytest.raises(InputError, match=r"cannot read .*weights\.safetensors as a safeten"):
        run.weights()


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_the_weights_is_refused_or_changes_nothing(
    place: float, bit: int, flipped: tuple[Experiment, bytes]
) -> None:
    experiment, content = flipped
    data = bytearray(content)
    data[int(place * len(data))] ^= 1 << bit
    run = experiment.newest()
    run.weights_path.write_bytes(data)
    for read in (run.weights, lambda: run.dense_weights(Filled()).weights):
        try:
            weights = read()
        except InputError:  # most flips
            continue
        assert weights_digest(weights) == weights_digest(filled(1))


def test_every_flipped_value_is_refused(experiment: Experiment) -> None:
    run = finished(experiment)
    content = run.weights_path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    for place in range(start, len(content), 97):
        data = bytearray(content)
        data[place] ^= 1
        run.weights_path.write_bytes(data)
        for read in (run.weights, run.check_weights):
            with pytest.raises(InputError, match="that were written; restore the file from a "):
                read()


def test_a_checkpoint_with_a_flipped_value_is_refused(experiment: Experiment) -> None:
    run = interrupted(experiment)
    path = run.folder / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(InputError, match=r"not those that were written.*; delete run 0001"):
        run.checkpoint()


def test_weights_of_another_run_are_refused(experiment: Experiment) -> None:
    run, other = finished(experiment, 1.0), finished(experiment, 2.0)
    shutil.copy(other.weights_path, run.weights_path)
    with pytest.raises(InputError, match="not those that were written"):
        run.weights()


def test_a_run_recorded_without_a_digest_is_read(experiment: Experiment) -> None:
    run = finished(experiment)
    record = json.loads((run.folder / RUN).read_text())
    assert record.pop("weights") == weights_digest(filled(1))
    (run.folder / RUN).write_text(json.dumps(record))
    run = experiment.newest()
    assert run.record.weights is None
    assert values(run.weights()) == {1.0}
    assert values(run.dense_weights(Filled()).weights) == {1.0}


UNPRIVILEGED = """
import os, sys
import filelock  # while it is still readable
from pathlib import Path
from core.experiments.experiment import Experiment, environment
from core.experiments.run_record import RunRecord
from core.errors import InputError

environment()  # imports its modules, for the same reason
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
experiment = Experiment(Path(sys.argv[1]))
print([(run.id, run.status, run.problem) for run in experiment.runs()])
changes = lambda: experiment.begin(RunRecord()), lambda: experiment.delete(experiment.find("1"))
for work in changes:
    try:
        work()
    except InputError as error:
        print(error)
"""


def test_missing_permissions_are_reported() -> None:
    with TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        experiment = Experiment(Path(place) / "it")
        folders = [finished(experiment).folder for _ in range(3)]
        for path in [*folders, experiment.folder]:
            path.chmod(0o555)
        folders[1].chmod(0o000)
        (folders[2] / "run.json").chmod(0o000)
        try:
            lines = python(UNPRIVILEGED, experiment.folder).communicate()[0].splitlines()
        finally:
            for path in [*folders, experiment.folder]:
                path.chmod(0o755)
    if os.name == "nt":  # permissions cannot be removed by mode
        assert lines[0] == repr([(run_id, "done", None) for run_id in ("0001", "0002", "0003")])
    else:
        problem = "run.json cannot be read: Permission denied"
        unreadable = [(run_id, "unreadable", problem) for run_id in ("0002", "0003")]
        assert lines[0] == repr([("0001", "done", None), *unreadable])
        assert len(lines) == 3
        assert all("writable" in line for line in lines[1:])


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Limit files to `size` bytes, like a full disk."""

    def write_bytes(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:size])
        if len(data) > size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return len(data)

    def write_text(path: Path, text: str, encoding: str) -> int:
        return write_bytes(path, text.encode(encoding))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        patch.setattr(Path, "write_text", write_text)
        yield


def test_a_full_disk_leaves_the_previous_checkpoint(experiment: Experiment) -> None:
    writer = experiment.begin(RECORD)
    writer.checkpoint(filled(1), epochs(1))
    for keep in (
        lambda: writer.checkpoint(filled(2), epochs(2)),
        lambda: writer.finish(filled(2), RunRecord(epochs=epochs(2))),
    ):
        with files_up_to(500), pytest.raises(InputError, match="no space left"):
            keep()
        saved = experiment.newest().checkpoint()
        assert saved is not None
        assert (saved.record.epochs, values(saved.tensors)) == (epochs(1), {1.0})
    assert sorted(os.listdir(writer.folder)) == [CHECKPOINT, "lock", RUN]
    assert values(writer.finish(filled(2), RECORD).weights()) == {2.0}


def test_a_full_disk_at_the_start_leaves_nothing(experiment: Experiment) -> None:
    with files_up_to(50), pytest.raises(InputError, match="no space left"):
        experiment.begin(RECORD)
    assert os.listdir(experiment.folder) == [".lock"]


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"cannot write {re.escape(str(tmp_path))}.file: "):
        Experiment(tmp_path / "file" / "below" / "it").begin(RECORD)
    with pytest.raises(InputError, match=r"cannot read .*file: .*; use another folder"):
        Experiment(tmp_path / "file").runs()
