"""The classes and splits of an image folder, of which no image is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchvision.datasets.folder import IMG_EXTENSIONS

from core.data.folders.image_folder import EXTENSIONS, Folder, read_folder
from core.errors import InputError
from core.events import Event, drain


def fill(folder: Path, **classes: int) -> Path:
    """Create `count` empty image files per class."""
    for name, count in classes.items():
        for number in range(count):
            path = folder / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def listed(root: Path) -> tuple[Folder, list[Event]]:
    notices: list[Event] = []
    return drain(read_folder(root), notices.append), notices


def test_every_twelfth_image_of_each_class_is_held_out(tmp_path: Path) -> None:
    folder, notices = listed(fill(tmp_path, dog=24, cat=36))
    assert folder.classes == ("cat", "dog")
    splits = (folder.train, folder.validation, folder.test)
    assert [[sum(label == of for _, label in split) for of in (0, 1)] for split in splits] == [
        [30, 20], [3, 2], [3, 2],
    ]  # fmt: skip
    assert len(set(folder.samples)) == 60
    assert len(notices) == 2
    assert listed(tmp_path)[0] == folder


def test_existing_splits_are_used_as_they_are(tmp_path: Path) -> None:
    for split, count in (("train", 3), ("valid", 2), ("validation", 1), ("test", 1)):
        fill(tmp_path / split, cat=count, dog=count)
    folder, notices = listed(tmp_path)
    assert [len(split) for split in (folder.train, folder.validation, folder.test)] == [6, 4, 2]
    assert {path.parts[-3] for path, _ in folder.validation} == {"valid"}
    assert notices == []


def test_files_in_subfolders_belong_to_their_class_and_other_files_to_none(tmp_path: Path) -> None:
    fill(tmp_path, cat=24, dog=24)
    (tmp_path / "dog" / "notes.txt").touch()
    fill(tmp_path / "cat", sub=12)
    folder, _ = listed(tmp_path)
    assert sorted(label for _, label in folder.samples) == [0] * 36 + [1] * 24


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"": {"cat": 24}}, "only one class, cat"),
        ({"": {"cat": 3, "dog": 3}}, "6 images: expected at least 12 per class"),
        ({"test": {"cat": 3, "dog": 3}}, "no train folder"),
        ({"train": {"cat": 3, "dog": 3}, "test": {"cat": 3, "cow": 3}}, "cow, dog"),
    ],
)
def test_splits_that_do_not_fit_are_refused(
    tmp_path: Path, parts: dict[str, dict[str, int]], expected: str
) -> None:
    for split, classes in parts.items():
        fill(tmp_path / split, **classes)
    with pytest.raises(InputError, match=expected):
        listed(tmp_path)


def test_images_are_the_files_that_torchvision_takes_for_images() -> None:
    assert EXTENSIONS == IMG_EXTENSIONS
