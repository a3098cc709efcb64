"""The disk budget of decoded folders: sizes parsed and formatted, folders evicted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.folders import disk_budget
from core.data.folders.disk_budget import METADATA, format_bytes, parse_bytes
from core.data.inputs import Inputs
from core.errors import InputError
from tests.core.data.folders.drawn import fill
from tests.core.data.folders.test_folders import loaded

TWENTY = 20 * 28 * 28
"""Bytes of 20 decoded images as `fill` draws them."""


@pytest.mark.parametrize(
    ("text", "size"),
    [("20GiB", 20 << 30), ("1.5 tb", 15 * 10**11), (" 500 MB ", 5 * 10**8), ("7b", 7)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "20", "GiB", "-1GiB", "1e3GiB", "nan GB", "2 parsecs"])
def test_other_text_is_not_a_size(text: str) -> None:
    with pytest.raises(InputError, match="expected a size such as 20GiB or 500MB"):
        parse_bytes(text)


@given(size=st.integers(0, 1 << 50))
def test_a_formatted_size_can_be_parsed(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == pytest.approx(size, rel=0.06)


@pytest.mark.usefixtures("empty_cache")
def test_the_least_recently_used_folder_is_evicted(tmp_path: Path, empty_cache: Path) -> None:
    cache = empty_cache / "folders"
    homes = {}
    for age, name in enumerate(("old", "new", "newest")):
        dataset, _ = loaded(fill(tmp_path / name, 12))
        homes[name] = cache / dataset.fingerprint
        os.utime(homes[name] / METADATA, (age + 1, age + 1))
    assert loaded(tmp_path / "old")[1] == loaded(tmp_path / "old")[1], "used again"
    whole = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())

    fourth, notices = loaded(fill(tmp_path / "fourth", 12), budget=whole)
    assert notices[-1].startswith(f"evicted the decoded images of {tmp_path / 'new'} (")
    names = {path.name for path in cache.iterdir()}
    assert names == {homes["old"].name, homes["newest"].name, fourth.fingerprint}
    fourth, notices = loaded(tmp_path / "fourth", budget=whole // 2)
    assert len(notices) == 4, "a smaller budget applies at once, but not to the folder in use"
    assert {path.name for path in cache.iterdir()} == {fourth.fingerprint}


@pytest.mark.usefixtures("empty_cache")
def test_a_folder_over_the_budget_is_refused_and_nothing_is_evicted(
    tmp_path: Path, empty_cache: Path
) -> None:
    loaded(fill(tmp_path / "small", 12))
    large = fill(tmp_path / "large", 20)
    with pytest.raises(InputError) as caught:
        loaded(large, budget=40 * 28 * 28 - 1)
    assert str(caught.value) == (
        f"{large} at 28x28 takes 30.6 KiB when decoded, more than the cache budget of 30.6 KiB: "
        "use a smaller --image-size or a larger --cache-budget"
    )
    assert len(list((empty_cache / "folders").iterdir())) == 1
    dataset, _ = loaded(large, inputs=Inputs(image_size=14), budget=40 * 28 * 28 - 1)
    assert dataset.train.images.shape[1:] == (1, 14, 14)


@pytest.mark.usefixtures("empty_cache")
def test_a_folder_that_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(fill(tmp_path / "one", 12))
    monkeypatch.setattr(disk_budget.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(InputError, match=r"cannot evict .* delete it"):
        loaded(fill(tmp_path / "two", 12), budget=24 * 28 * 28)
