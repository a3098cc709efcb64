"""Experiments: runs, ids, notes, deletion, listing, and the names users give."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import platformdirs
import pytest
import torch

from core.errors import InputError
from core.experiments.experiment import (
    PACKAGES,
    Experiment,
    default_name,
    default_root,
    environment,
    experiment_folder,
    experiment_names,
    open_run,
    split_run,
)
from core.experiments.runs import NOTE_LIMIT
from tests.core.experiments.recorded_runs import RECORD, epochs, finished, interrupted, values
from tests.core.test_architecture import HEAVY, packages_after

# Ids


def test_ids_rise_and_only_the_last_is_reused(experiment: Experiment) -> None:
    first, second, third = (finished(experiment) for _ in range(3))
    assert [run.id for run in experiment.runs()] == ["0001", "0002", "0003"]
    experiment.delete(second)
    assert finished(experiment).id == "0004"
    experiment.delete(first)
    assert [run.id for run in experiment.runs()] == ["0003", "0004"]
    for run in experiment.runs():
        experiment.delete(run)
    assert finished(experiment).id == third.id[:-1] + "1"


def test_ids_continue_in_order_beyond_four_digits(experiment: Experiment) -> None:
    finished(experiment).folder.rename(experiment.folder / "9999")
    assert [finished(experiment).id for _ in range(2)] == ["10000", "10001"]
    assert [run.id for run in experiment.runs()] == ["9999", "10000", "10001"]


@pytest.mark.parametrize("typed", ["2", "02", "0002", "000002"])
def test_leading_zeros_of_an_id_are_optional(typed: str, experiment: Experiment) -> None:
    finished(experiment)
    finished(experiment)
    assert experiment.find(typed).id == "0002"


@pytest.mark.parametrize("typed", ["3", "", "x", "-1", "1.0", "../0001", "²", "9" * 5_000])
def test_an_unknown_id_is_refused(typed: str, experiment: Experiment) -> None:
    finished(experiment)
    finished(experiment)
    with pytest.raises(InputError, match="expected one from 0001 to 0002"):
        experiment.find(typed)


def test_an_experiment_without_runs_says_so(experiment: Experiment) -> None:
    with pytest.raises(InputError, match=r"no run '1' in .*: it has no runs yet"):
        experiment.find("1")
    with pytest.raises(InputError, match="has no runs"):
        experiment.newest()


def test_foreign_files_are_left_alone(experiment: Experiment) -> None:
    folder = experiment.folder
    for name in ("notes", "12", "00012", "2024", "scans"):
        (folder / name).mkdir(parents=True)
    (folder / "2024" / "photo.jpg").touch()
    (folder / "0003").touch()
    (folder / "loop").symlink_to("loop")
    (folder / "0004").symlink_to("0004")
    before = sorted(path.name for path in folder.iterdir())
    assert experiment.runs() == ()
    run = finished(experiment)
    assert run.id == "2025"
    experiment.delete(run)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", *before]
    assert (folder / "2024" / "photo.jpg").exists()


def test_a_file_named_like_the_next_run_is_skipped(experiment: Experiment) -> None:
    finished(experiment)
    (experiment.folder / "0002").touch()
    (experiment.folder / "0003").mkdir()
    assert finished(experiment).id == "0004"


# Deleting and notes


def test_a_deleted_run_is_gone(experiment: Experiment) -> None:
    run = finished(experiment)
    stays = finished(experiment)
    experiment.delete(run)
    assert experiment.runs() == (stays,)
    with pytest.raises(InputError, match="no run '0001'"):
        experiment.delete(run)


def test_remains_of_a_killed_deletion_are_removed(experiment: Experiment) -> None:
    run = finished(experiment)
    left = experiment.folder / ".run-f00"

    def begin() -> None:
        experiment.begin(RECORD).abandon()

    for change in (begin, partial(experiment.delete, run)):
        left.mkdir()
        (left / "weights.safetensors").touch()
        assert len(experiment.runs()) == 1
        change()
        assert not left.exists()


def test_a_linked_run_is_only_unlinked(experiment: Experiment, tmp_path: Path) -> None:
    run = finished(experiment)
    elsewhere = run.folder.rename(tmp_path / "elsewhere")
    run.folder.symlink_to(elsewhere)
    experiment.delete(experiment.newest())
    assert experiment.runs() == ()
    assert (elsewhere / "run.json").exists()


@pytest.mark.parametrize("text", ["good", "ein Gewinn: 71×\nand more", "🪶", "\x1b[31m"])
def test_a_note_is_stored_and_removed(text: str, experiment: Experiment) -> None:
    run = finished(experiment)
    experiment.annotate(run, f"  {text}\n")
    assert experiment.newest() == replace(run, note=text)
    experiment.annotate(run, " ")
    assert experiment.newest() == run
    experiment.annotate(run, "")
    assert not (run.folder / "note.txt").exists()


def test_a_note_may_hold_any_text_up_to_a_limit(experiment: Experiment) -> None:
    run = finished(experiment)
    experiment.annotate(run, "half \ud800")
    assert experiment.newest().note == "half ?"
    experiment.annotate(run, "ß" * NOTE_LIMIT)
    assert experiment.newest().note == "ß" * NOTE_LIMIT
    with pytest.raises(InputError, match="a note of 10001 characters: expected at most 10000"):
        experiment.annotate(run, "x" * (NOTE_LIMIT + 1))


def test_a_damaged_note_does_no_harm(experiment: Experiment) -> None:
    run = finished(experiment)
    (run.folder / "note.txt").write_bytes(b"caf\xe9")
    assert experiment.newest().note == "caf�"
    (run.folder / "note.txt").unlink()
    (run.folder / "note.txt").mkdir()
    assert experiment.newest() == run


def test_other_folders_get_no_lock(experiment: Experiment, tmp_path: Path) -> None:
    run = finished(experiment)
    for change in (Experiment.delete, Experiment.resume):
        with pytest.raises(InputError, match="no run"):
            change(Experiment(tmp_path), run)
        with pytest.raises(InputError, match="no run"):
            change(Experiment(tmp_path / "none"), run)
    assert os.listdir(tmp_path) == ["it"]


# The listing


def test_listing_loads_no_torch(experiment: Experiment) -> None:
    finished(experiment)
    interrupted(experiment)
    loaded = packages_after(
        "from core.experiments.experiment import Experiment, environment\n"
        "import core.experiments.saved_scans, pathlib\n"
        f"runs = Experiment(pathlib.Path({str(experiment.folder)!r})).runs()\n"
        "assert [run.status for run in runs] == ['done', 'interrupted']\n"
        "assert len(runs[1].record.epochs) == 1\n"
        "assert environment()['torch']"
    )
    assert "core" in loaded
    assert not loaded & HEAVY


def test_hundreds_of_runs_are_listed_quickly(experiment: Experiment) -> None:
    run = finished(experiment, epochs=epochs(60))
    for number in range(2, 501):
        folder = experiment.folder / f"{number:04d}"
        folder.mkdir()
        for path in run.folder.iterdir():
            os.link(path, folder / path.name)
    start = time.process_time()  # not affected by other programs
    assert len(experiment.runs()) == 500
    assert time.process_time() - start < 2  # ten times what it takes


# Which experiment, which run


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default root in a temporary folder, and an empty working directory."""
    monkeypatch.setattr("core.experiments.experiment.default_root", default_root)
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name: tmp_path / name)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    return tmp_path / "featherweight" / "experiments"


def test_without_a_target_the_default_folder_is_used(place: Path) -> None:
    assert experiment_folder(None, "cnn5-mnist") == place / "cnn5-mnist"
    finished(Experiment(place / "cnn5-mnist"))
    assert experiment_names() == ("cnn5-mnist",)
    assert open_run("cnn5-mnist:1").folder == place / "cnn5-mnist" / "0001"


def test_a_bare_name_is_the_existing_experiment(place: Path) -> None:
    here = Path.cwd() / "it"
    assert experiment_folder("it", "x") == here
    finished(Experiment(place / "it"), value=1)
    assert experiment_folder("it", "x") == place / "it"
    assert values(open_run("it").weights()) == {1.0}
    assert experiment_folder("./it", "x") == here
    finished(Experiment(here), value=2)
    assert experiment_folder("it", "x") == experiment_folder(Path("it"), "x") == here
    assert values(open_run("it").weights()) == {2.0}


@pytest.mark.parametrize("target", ["new", "new/er", "./new"])
def test_a_run_is_found_under_the_name_it_was_recorded_under(target: str, place: Path) -> None:
    run = finished(Experiment(experiment_folder(target, "x")))
    assert open_run(target) == open_run(f"{target}:1") == run
    assert not place.exists()


def test_a_tilde_in_a_path_is_expanded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("USERPROFILE", str(place))
    assert experiment_folder("~/it", "x") == place / "it"


@pytest.mark.parametrize("target", ["", "~nobody-of-this-name/it"])
def test_a_target_that_is_not_a_path_is_refused(target: str, place: Path) -> None:
    for use in (lambda: experiment_folder(target, "x"), lambda: open_run(target)):
        with pytest.raises(InputError, match=r"an empty path|cannot expand the path"):
            use()
    assert not place.exists()


def test_a_file_is_not_an_experiment(place: Path) -> None:
    file = place.parent.parent / "file"
    file.touch()
    with pytest.raises(InputError, match=f"{re.escape(str(file))} is a file, expected the folder"):
        experiment_folder(file, "x")


def test_an_unknown_experiment_is_refused_with_the_known_ones(place: Path) -> None:
    with pytest.raises(InputError, match=r"no experiment 'it': expected FOLDER.*: none yet"):
        open_run("it")
    for name in ("two", "one"):
        (place / name).mkdir(parents=True)
    with pytest.raises(InputError, match=r"no experiment 'it': .*: one, two"):
        open_run("it:0001")
    with pytest.raises(InputError, match="no experiment 'one:last': "):
        open_run("one:last")
    with pytest.raises(InputError, match="one has no runs"):
        open_run("one")


def test_the_folder_of_a_run_is_not_taken_for_an_experiment(place: Path) -> None:
    run = finished(Experiment(place / "it"))
    with pytest.raises(InputError, match=re.escape(f"use {place / 'it'}:0001")):
        open_run(str(run.folder))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("it", ("it", None)),
        ("it:3", ("it", "3")),
        ("it:0003", ("it", "0003")),
        ("a:b:12", ("a:b", "12")),
        (r"C:\runs\it", (r"C:\runs\it", None)),
        (r"C:\runs\it:0001", (r"C:\runs\it", "0001")),
        ("it:last", ("it:last", None)),
        ("it:", ("it:", None)),
        (":3", (":3", None)),
    ],
)
def test_a_run_is_named_by_folder_and_id(target: str, expected: tuple[str, str | None]) -> None:
    assert split_run(target) == expected


@pytest.mark.usefixtures("place")
def test_a_folder_whose_name_looks_like_a_run_is_a_folder() -> None:
    experiment = Experiment(Path("it:3").absolute())
    if os.name == "nt":  # folder names cannot have a colon
        with pytest.raises(InputError, match="cannot write"):
            finished(experiment)
    else:
        finished(experiment)
        assert open_run("it:3").id == "0001"
        assert open_run("it:3:1").id == "0001"


@pytest.mark.parametrize(
    ("model", "name"),
    [("cnn5", "cnn5-mnist"), ("../my net.py:Net", "my-net.py-Net-mnist"), ("é", "mnist")],
)
def test_the_default_name_has_only_plain_characters(model: str, name: str) -> None:
    assert default_name(model, "mnist") == name


def test_the_environment_does_not_identify_the_user() -> None:
    report = environment()
    assert report["python"] == platform.python_version()
    assert report["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert set(report) == {"python", "system", "machine", "processor", *PACKAGES}
    assert all(isinstance(value, str) and value for value in report.values())
    assert str(Path.home()) not in json.dumps(report)
