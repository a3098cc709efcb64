"""Image folders: splits, sizes, damaged files, and a net trained on one."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.batches import Splits
from core.data.folders import decoded_cache as decoding
from core.data.folders.disk_budget import BUDGET
from core.data.inputs import DEFAULT_INPUTS, Inputs
from core.data.loading import load
from core.data.registry import check_name, short_data_name
from core.data.splits import Dataset
from core.errors import InputError, StoppedError
from core.events import Event, Notice, Progress, drain
from core.jobs.dense_net import open_dense_net
from core.jobs.workbench import Workbench
from core.measure.evaluation import batches
from core.pruning.plans import uniform_plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.data.folders.drawn import Draw, fill, shade, spotted
from tests.core.training_loops import of_type
from tests.core.user_nets import write

pytestmark = pytest.mark.usefixtures("empty_cache")


def loaded(
    root: Path, protocol: str = "default", inputs: Inputs = DEFAULT_INPUTS, budget: int = BUDGET
) -> tuple[Dataset, list[str]]:
    events: list[Event] = []
    stream = load(f"folder:{root}", protocol=protocol, inputs=inputs, budget=budget)
    dataset = drain(stream, events.append)
    return dataset, [event.text for event in of_type(Notice, events)]


def counts(dataset: Dataset) -> list[Counter[int]]:
    return [
        Counter(split.labels.tolist())
        for split in (dataset.train, dataset.validation, dataset.test)
    ]


def test_missing_splits_are_held_out_of_each_class_with_a_notice(tmp_path: Path) -> None:
    dataset, notices = loaded(fill(tmp_path / "pets", 36))
    assert counts(dataset) == [{0: 30, 1: 30}, {0: 3, 1: 3}, {0: 3, 1: 3}]
    assert [text.split(": ")[1].split(",")[0] for text in notices] == [
        "held out 6 of 72 images", "held out 6 of 72 images",
    ]  # fmt: skip
    assert all("every twelfth of each class (seed 0)" in text for text in notices)
    seen = [
        (int(image[0, 0, 0]), int(label))
        for split in (dataset.train, dataset.validation, dataset.test)
        for image, label in zip(split.images, split.labels, strict=True)
    ]
    assert sorted(seen) == sorted((number, label) for number in range(36) for label in (0, 1))
    pixels = np.asarray(dataset.train.images) / 255
    assert (dataset.mean, dataset.std) == pytest.approx((pixels.mean(), pixels.std()))


@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_existing_splits_are_kept(tmp_path: Path, validation: str) -> None:
    for name, each in (("train", 14), (validation, 3), ("test", 2)):
        fill(tmp_path / name, each)
    dataset, notices = loaded(tmp_path)
    assert counts(dataset) == [{0: 14, 1: 14}, {0: 3, 1: 3}, {0: 2, 1: 2}]
    assert notices == []
    whole, _ = loaded(tmp_path, "reference")
    assert counts(whole) == [{0: 17, 1: 17}, {0: 2, 1: 2}, {0: 2, 1: 2}]
    assert whole.validation is whole.test


def test_a_folder_is_decoded_once_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fill(tmp_path / "pets", 12)
    first, _ = loaded(root)

    def never(*_: object) -> None:
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "_decode", never)
        again, _ = loaded(root)
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(again.train.images, first.train.images)
    assert again.class_names == ("cat", "dog")
    assert isinstance(again.train.images.base, np.memmap)
    shade(1, 99).save(root / "cat" / "000.png")
    changed, _ = loaded(root)
    assert changed.fingerprint != first.fingerprint


def test_folders_of_the_same_name_are_not_confused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "here" / "pets", 12)
    fill(tmp_path / "there" / "pets", 13)
    decoded = []
    whole = decoding._decode
    monkeypatch.setattr(decoding, "_decode", lambda *args: decoded.append(0) or whole(*args))
    for place in ("here", "there", "here"):
        monkeypatch.chdir(tmp_path / place)
        drain(load("folder:pets"))
    assert len(decoded) == 2


def test_a_stop_leaves_nothing_half_decoded(tmp_path: Path, empty_cache: Path) -> None:
    root, seen = fill(tmp_path / "pets", 12), list[Event]()
    stream = load(f"folder:{root}", stop=lambda: len(of_type(Progress, seen)) > 5)
    with pytest.raises(StoppedError):
        drain(stream, seen.append)
    assert not [path for path in (empty_cache / "folders").rglob("*") if path.is_file()]


def test_sizes_and_channels_are_worked_out(tmp_path: Path) -> None:
    sizes = [(40, 30), (20, 60), (30, 30)]
    root = fill(tmp_path / "pets", 12, lambda label, n: shade(label, n, sizes[n % 3], "RGB"))
    dataset, notices = loaded(root)
    assert dataset.train.images.shape[1:] == (3, 30, 30)
    assert notices[-1] == "cropped and resized 16 images to 30x30"
    assert {int(np.median(image)) for image in dataset.train.images} == {40, 120}


def test_large_images_are_shrunk_unless_a_size_is_set(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 12, lambda label, n: shade(label, n, (300, 260)))
    assert loaded(root)[0].train.images.shape[1:] == (1, 224, 224)
    dataset, notices = loaded(root, inputs=Inputs(image_size=250, channels=3))
    assert dataset.train.images.shape[1:] == (3, 250, 250)
    assert notices[-1] == "cropped and resized 24 images to 250x250"


def test_size_channels_and_normalization_can_be_set(tmp_path: Path, empty_cache: Path) -> None:
    root = fill(tmp_path / "pets", 36, spotted, ("red", "green", "blue"))
    plain, _ = loaded(root)
    three = Inputs(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    ours, _ = loaded(root, inputs=three)
    assert (ours.mean, ours.std) == (three.mean, three.std)
    assert np.array_equal(ours.train.images, plain.train.images)
    gray, _ = loaded(root, inputs=Inputs(channels=1, image_size=16, mean=(0.5,)))
    assert gray.train.images.shape[1:] == (1, 16, 16)
    assert gray.mean == 0.5
    assert isinstance(gray.std, float)
    marks = {dataset.fingerprint for dataset in (plain, ours, gray)}
    assert len(marks) == 3, "nets and scans are not shared between them"
    assert len(list((empty_cache / "folders").iterdir())) == 2, (
        "normalization needs no new decoding"
    )
    with pytest.raises(InputError, match="3 numbers for images with 1 channel"):
        loaded(fill(tmp_path / "gray", 12), inputs=three)


@pytest.mark.parametrize("mode", ["1", "LA", "P", "RGBA", "CMYK"])
def test_every_kind_of_image_becomes_gray_or_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for number in range(12):
            shade(label, number, mode=mode).save(tmp_path / name / f"{number}.{suffix}")
    dataset, _ = loaded(tmp_path)
    assert dataset.train.images.shape[1:] == (1 if mode in ("1", "LA") else 3, 28, 28)


def test_images_that_cannot_be_read_are_counted_named_and_left_out(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 14)
    whole = (root / "dog" / "003.png").read_bytes()
    (root / "dog" / "003.png").write_bytes(whole[: len(whole) // 2])
    (root / "dog" / "004.png").write_bytes(b"no image")
    (root / "cat" / "005.jpg").write_bytes(b"")
    (root / "cat" / "notes.txt").write_text("ignored")
    dataset, notices = loaded(root)
    assert notices[-1].startswith("skipped 3 images that cannot be read: ")
    assert all(name in notices[-1] for name in ("dog/003.png", "dog/004.png", "cat/005.jpg"))
    assert sum(sum(count.values()) for count in counts(dataset)) == 26


def test_16_bit_images_are_scaled_not_clipped(tmp_path: Path) -> None:
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for number in range(12):
            pixels = np.full((8, 8), 10_000 + 40_000 * label, np.uint16)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    dataset, _ = loaded(tmp_path)
    brightness = {
        int(label): int(image[0, 0, 0])
        for image, label in zip(dataset.train.images, dataset.train.labels, strict=True)
    }
    assert brightness == {0: 10_000 >> 8, 1: 50_000 >> 8}


def test_a_broken_link_is_skipped_like_any_unreadable_image(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 14)
    (root / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    _, notices = loaded(root)
    assert notices[-1] == "skipped 1 image that cannot be read: cat/gone.png"


def test_the_cache_holds_one_decoding_of_a_folder_and_repairs_itself(
    tmp_path: Path, empty_cache: Path
) -> None:
    root = fill(tmp_path / "pets", 12)
    loaded(root)
    shade(1, 99).save(root / "cat" / "000.png")
    first, _ = loaded(root)
    (home,) = (empty_cache / "folders").iterdir()
    assert home.name == first.fingerprint
    pixels = np.array(first.train.images)
    (home / "pixels.u8").unlink()
    (home / "pixels.u8").write_bytes(b"cut off")
    again, _ = loaded(root)
    assert np.array_equal(again.train.images, pixels)
    (home / "facts.json").unlink()
    assert loaded(root)[0].fingerprint == first.fingerprint


def broken(root: Path, what: str) -> None:
    match what:
        case "empty":
            root.mkdir()
        case "no images":
            (root / "cat").mkdir(parents=True)
        case "one class":
            fill(root, 12, classes=("cat",))
        case "an empty class":
            fill(root, 14)
            (root / "cow").mkdir()
        case "few":
            fill(root, 3)
        case "other classes":
            fill(root / "train", 12)
            fill(root / "test", 3, classes=("cat", "cow"))
        case "only test":
            fill(root / "test", 12)
        case "none readable":
            fill(root, 12)
            for path in (root / "dog").iterdir():
                path.write_bytes(b"no")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("empty", "has no folders: expected one"),
        ("no images", "has no images: expected files ending in .*png"),
        ("one class", "has only one class, cat: expected at least two"),
        ("an empty class", "has no images of cow"),
        ("few", "has 6 images: expected at least 12 per class"),
        ("other classes", "different classes than train: cow, dog in only one"),
        ("only test", "but no train folder"),
        ("none readable", "no readable image of class dog in split train"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path, what: str, reason: str) -> None:
    root = tmp_path / "pets"
    broken(root, what)
    with pytest.raises(InputError, match=reason):
        loaded(root)


def test_hidden_folders_are_not_classes(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 12)
    (root / ".thumbnails").mkdir()
    assert loaded(root)[0].classes == 2


def test_a_folder_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = fill(tmp_path / "pets", 12)
    for closed in (root, root / "dog"):  # file modes do not stop root
        with monkeypatch.context() as patch:
            patch.setattr(os, "access", lambda path, _, closed=closed: path != closed)
            with pytest.raises(InputError, match=f"cannot open {closed}: Permission denied"):
                loaded(root)


def test_a_name_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder: /nowhere"):
        check_name("folder:/nowhere")
    (tmp_path / "pets").write_text("no folder")
    with pytest.raises(InputError, match="pets is a file, expected a folder"):
        check_name(f"folder:{tmp_path / 'pets'}")
    with pytest.raises(InputError, match="expected folder:PATH"):
        check_name("folder:")
    with pytest.raises(InputError, match="cannot be read: Could not determine home"):
        check_name("folder:~nobody-of-this-name/pets")
    with pytest.raises(InputError, match="or folder:PATH"):
        check_name("letters")
    check_name(f"folder:{tmp_path}")
    assert short_data_name(f"folder:{tmp_path}/") == tmp_path.name
    assert short_data_name("mnist") == "mnist"


def test_large_images_are_evaluated_a_few_at_a_time(tmp_path: Path) -> None:
    small = Splits.of(loaded(fill(tmp_path / "small", 12))[0])
    draw: Draw = lambda label, n: shade(label, n, (800, 600), "RGB")  # noqa: E731
    root = fill(tmp_path / "large", 12, draw)
    large = Splits.of(loaded(root, inputs=Inputs(image_size=224))[0])
    assert [batch.stop for batch in batches(small.train)] == [500]
    assert [batch.stop for batch in batches(large.train)] == [*range(3, len(large.train) + 3, 3)]


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_user_model_learns_a_users_image_folder(tmp_path: Path) -> None:
    root = fill(tmp_path / "pets", 60)
    model = f"{write(tmp_path)}:factory"
    settings = Settings(
        model=model, dataset=f"folder:{root}", precision="fp32", changes=RecipeChanges(epochs=2)
    )
    workbench, events = Workbench(settings), list[Event]()
    base = drain(open_dense_net(workbench), events.append)
    assert base.accuracy.test == 100
    tuned = drain(workbench.finetune(base, uniform_plan(0.9, workbench.layer_names)))
    assert (tuned.accuracy.test, tuned.revived) == (100, 0)
    again = drain(open_dense_net(Workbench(settings)))
    assert again.digest == base.digest
    shade(0, 7).save(root / "cat" / "100.png")
    drain(open_dense_net(Workbench(settings)), events.append)
    trained = [
        notice.text for notice in of_type(Notice, events) if "training the dense" in notice.text
    ]
    assert len(trained) == 2, "other images, another dense net"
    assert base.class_names == ("cat", "dog"), "the names of its folders"
    notices = [notice.text for notice in of_type(Notice, events) if "outputs" in notice.text]
    assert notices == ["the net has 10 outputs, the data set 2 classes"] * 2, (
        "once each time it is opened"
    )
