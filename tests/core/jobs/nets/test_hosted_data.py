"""The nets with shipped weights on other data sets: built for their images, trained, exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.data.registry import DATASETS
from core.errors import InputError
from core.events import Notice, drain
from core.formats.export_formats import Packing
from core.jobs.export import export
from core.jobs.workbench import Workbench
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.data.folders.drawn import Draw, fill, shade, spotted
from tests.core.data.sources.hosted import Small, small
from tests.core.training_loops import of_type, recorded
from tui.cli.main import main

pytestmark = pytest.mark.usefixtures("one_thread", "empty_cache", "few_epochs")


def placed(name: str, folder: Path, patch: pytest.MonkeyPatch) -> Small:
    """A small data set in a data folder."""
    data = small(name)
    data.put_in_place(patch, "http://127.0.0.1:9/")
    for file, content in data.files.items():
        (folder / file).write_bytes(content)
    return data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "dataset"),
    [("cnn5", "cifar100"), ("lenet-5", "emnist-balanced"), ("lenet-300-100", "svhn")],
)
def test_a_net_learns_and_is_exported_for_the_images_of_a_data_set(
    model: str, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(dataset, tmp_path, monkeypatch)
    changes = RecipeChanges(epochs=1, batch_size=64)
    settings = Settings(
        model=model, dataset=dataset, changes=changes, data_dir=tmp_path, precision="fp32"
    )
    workbench = Workbench(settings)
    result, events = recorded(workbench.train())
    known = DATASETS[dataset]
    first, last = workbench.layers[0], workbench.layers[-1]
    values = known.channels * (25 if len(first.shape) == 4 else known.image_size**2)
    assert first.elements == first.shape[0] * values
    assert last.shape[0] == known.classes
    assert not [notice for notice in of_type(Notice, events) if "outputs" in notice.text]
    exported = drain(export(workbench, result.weights, tmp_path / "net.fw", Packing()))
    assert exported.accuracy == result.accuracy


@pytest.mark.slow
def test_a_run_on_cifar_is_recorded_with_its_augmentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed("cifar10", tmp_path, monkeypatch)
    options = (
        f"--model lenet-5 --dataset cifar10 --data-dir {tmp_path} --precision fp32 --threads 1"
    )
    dense, to = f"{tmp_path}/dense.safetensors", f"{tmp_path}/run.json"
    assert main(f"train {options} --epochs 1 --to {dense}".split()) == 0
    run = f"run {options} --weights {dense} --uniform 0.8 --epochs 1 --augment flip,shift"
    assert main(f"{run} --json {to}".split()) == 0
    report = json.loads(Path(to).read_text())
    assert report["choices"] == {"epochs": 1, "augment": ["shift", "flip"]}
    assert report["finetuning"]["augment"] == ["shift", "flip"]
    assert report["layers"][0]["elements"] == 20 * 3 * 5 * 5


@pytest.mark.parametrize(
    ("draw", "classes"), [(spotted, "abc"), (lambda _, number: shade(0, number), "abcdefghijk")]
)
def test_what_a_shipped_net_takes_from_a_folder_is_said(
    draw: Draw, classes: str, tmp_path: Path
) -> None:
    root = fill(tmp_path / "pets", 12, draw, tuple(classes))
    text = "cnn5 takes 28x28 grayscale images of at most 10 classes from a folder: use --image-size"
    with pytest.raises(InputError, match=text):
        drain(Workbench(Settings(dataset=f"folder:{root}")).splits())
