"""Stored scans: read back unchanged, refused if damaged, replaced by better ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.experiments.saved_scans import StoredScan, load_scan, save_scan
from core.pruning.curves import SPLITS, Point, RepairName, Scan

DIGEST = "0123456789abcdef"
NAME = f"{DIGEST}-validation.json"

SCAN = Scan(
    split="validation",
    images=5_000,
    layers={"conv1": (Point(0.4, 4_950, 5_000, 1), Point(0.95)), "fc": (Point(0.4), Point(0.95))},
    uniform=(Point(1.0, 500, 5_000),),
    precision="bf16",
    traced=True,
    stopped=True,
)


def points(images: int) -> st.SearchStrategy[Point]:
    counts = st.tuples(*[st.integers(0, images)] * 3).map(sorted)
    return st.builds(
        lambda sparsity, counts: Point(sparsity, counts[1], counts[2], counts[0]),
        st.floats(0, 1),
        counts,
    )


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    images = draw(st.integers(0, 10_000))
    curve = st.lists(points(images), max_size=4).map(tuple)
    return Scan(
        split=draw(st.sampled_from(SPLITS)),
        images=images,
        layers=draw(st.dictionaries(st.text(), curve, max_size=3)),
        uniform=draw(curve),
        precision=draw(st.sampled_from(("fp32", "bf16"))),
        traced=draw(st.booleans()),
        stopped=draw(st.booleans()),
    )


@settings(max_examples=50)
@given(scans())
def test_any_scan_is_read_back_unchanged(scan: Scan) -> None:
    with TemporaryDirectory() as folder:
        assert save_scan(Path(folder), DIGEST, scan)
        kept = load_scan(Path(folder), DIGEST, scan.split)
        assert kept == StoredScan(scan)
        assert kept.scan is not None
        assert list(kept.scan.layers) == list(scan.layers)


def test_a_scan_is_a_file_of_the_experiment(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    save_scan(folder, DIGEST, SCAN)
    assert os.listdir(folder / "scans") == [NAME]


def test_a_missing_scan_is_not_a_problem(tmp_path: Path) -> None:
    assert load_scan(tmp_path, DIGEST, "test") == StoredScan(None, None)


def test_weights_and_splits_have_their_own_scans(tmp_path: Path) -> None:
    save_scan(tmp_path, DIGEST, SCAN)
    assert load_scan(tmp_path, DIGEST, "test").scan is None
    assert load_scan(tmp_path, "f" * 16, "validation").scan is None
    path = tmp_path / "scans" / NAME
    path.rename(path.with_name(f"{'f' * 16}-validation.json"))
    assert load_scan(tmp_path, "f" * 16, "validation") == StoredScan(
        None, "ffffffffffffffff-validation.json is a scan of other weights, split or repair"
    )


def test_each_repair_has_its_own_scan(tmp_path: Path) -> None:
    scans = [replace(SCAN, repair=repair) for repair in get_args(RepairName)]
    for scan in scans:
        assert save_scan(tmp_path, DIGEST, scan)
    for scan in scans:
        loaded = load_scan(tmp_path, DIGEST, scan.split, repair=scan.repair)
        assert loaded == StoredScan(scan, None)


def test_only_a_scan_on_as_many_images_replaces_one(tmp_path: Path) -> None:
    def kept() -> Scan | None:
        return load_scan(tmp_path, DIGEST, "validation").scan

    more = replace(SCAN, uniform=(*SCAN.uniform, Point(0.9, 1, 1)))
    other = replace(SCAN, precision="fp32")
    for scan, is_kept in ((SCAN, True), (other, True), (more, True), (SCAN, False)):
        assert save_scan(tmp_path, DIGEST, scan) == is_kept
        assert kept() == (scan if is_kept else more)


def test_a_scan_of_other_data_is_not_used(tmp_path: Path) -> None:
    save_scan(tmp_path, DIGEST, SCAN, data="mnist")
    assert load_scan(tmp_path, DIGEST, "validation", data="mnist").scan == SCAN
    other = load_scan(tmp_path, DIGEST, "validation", data="fashion-mnist")
    assert other == StoredScan(None, f"{NAME} is a scan on different data")
    empty = replace(SCAN, layers={}, uniform=())
    assert save_scan(tmp_path, DIGEST, empty, data="fashion-mnist")


def test_a_split_of_another_size_is_replaced(tmp_path: Path) -> None:
    save_scan(tmp_path, DIGEST, SCAN)
    assert save_scan(tmp_path, DIGEST, replace(SCAN, images=10_000, layers={}, uniform=()))


def first_point(place: int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(facts: dict[str, Any]) -> None:
        facts["layers"]["conv1"][0][place] = value

    return change


def setting(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda facts: facts.__setitem__(key, value)


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "more correct than seen": first_point(1, 5_001),
    "more seen than there are": first_point(2, 5_001),
    "fewer than none": first_point(1, -1),
    "half an image": first_point(2, 4_999.5),
    "more ties than seen": first_point(3, 5_001),
    "a truth for a count": first_point(3, True),
    "a sparsity above 1": first_point(0, 1.01),
    "a sparsity below 0": first_point(0, -0.01),
    "a sparsity that is text": first_point(0, "0.4"),
    "a point too short": lambda facts: facts["uniform"][0].pop(),
    "points that are none": setting("uniform", 5),
    "layers in a list": setting("layers", []),
    "no layers": lambda facts: facts.pop("layers"),
    "another split": setting("split", "test"),
    "no split": setting("split", "train"),
    "a list for a split": setting("split", ["validation"]),
    "another precision": setting("precision", "fp8"),
    "a number for a truth": setting("stopped", 1),
    "another digest": setting("digest", "f"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_impossible_values_are_refused_with_a_reason(wrong: str, tmp_path: Path) -> None:
    save_scan(tmp_path, DIGEST, SCAN)
    path = tmp_path / "scans" / NAME
    facts = json.loads(path.read_bytes())
    WRONG[wrong](facts)
    path.write_text(json.dumps(facts), encoding="utf-8")
    scan, problem = load_scan(tmp_path, DIGEST, "validation")
    assert scan is None
    assert problem
    assert problem.startswith(NAME)
    assert "\n" not in problem
    assert save_scan(tmp_path, DIGEST, SCAN)
    assert load_scan(tmp_path, DIGEST, "validation").scan == SCAN


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xfd", b"[]", b"[" * 100_000, b"NaN"])
def test_garbage_is_refused_and_replaced(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    path = tmp_path / "scans" / NAME
    path.write_bytes(content)
    scan, problem = load_scan(tmp_path, DIGEST, "validation")
    assert scan is None
    assert problem
    assert save_scan(tmp_path, DIGEST, replace(SCAN, layers={}, uniform=()))


def test_a_folder_in_its_place_is_reported(tmp_path: Path) -> None:
    (tmp_path / "scans" / NAME).mkdir(parents=True)
    assert load_scan(tmp_path, DIGEST, "validation") == StoredScan(None, f"{NAME} is not a file")


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown split 'train': expected one of validation, test"):
        load_scan(tmp_path, DIGEST, "train")


def test_a_malformed_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected hexadecimal digits"):
        save_scan(tmp_path, "../up", SCAN)


def test_a_file_in_place_of_the_experiment_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        save_scan(tmp_path / "file", DIGEST, SCAN)
