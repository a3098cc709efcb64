"""The jobs over the shipped net, a few digits and the settings; their results as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.batches import Images, Splits
from core.data.splits import Dataset
from core.errors import InputError, StoppedError
from core.events import Batch, Epoch, Event, Notice, drain
from core.experiments.run_record import report_json
from core.formats.weights_files import save_weights
from core.graph.compaction import compacted
from core.graph.dead_units import remove_dead
from core.jobs.dense_net import open_dense_net
from core.jobs.net import Net
from core.jobs.report import finetuned_record, trained_record
from core.jobs.workbench import Workbench
from core.nets.architectures import Cnn5
from core.nets.layers import parameter_count
from core.nets.weights import Weights
from core.pruning.plans import Plan
from core.pruning.thresholds import threshold
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.training.dense import TrainingResult
from core.training.finetuning import FineTuningResult
from tests.core.training_loops import same

LAYERS = ("conv1", "conv2", "conv3", "fc1", "fc2")


def head(images: Images, count: int) -> Images:
    return Images(images.images[:count], images.labels[:count], images.mean, images.std)


@pytest.fixture
def first_images(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    """Limit workbenches to the first images of each split."""
    whole = Splits.of

    def first(dataset: Dataset, device: torch.device) -> Splits:
        data = whole(dataset, device)
        test = head(data.test, 100)
        chosen = test if data.validation is data.test else head(data.validation, 100)
        return Splits(head(data.train, 60), chosen, test)

    monkeypatch.setattr(Splits, "of", first)


def assert_profiles_are_those_of(net: Net, weights: Weights) -> None:
    assert tuple(profile.layer.name for profile in net.profiles) == LAYERS
    assert net.other_parameters == 0
    for profile in net.profiles:
        weight = weights[profile.layer.key]
        for sparsity in (0.0, 0.5, 0.97, 1.0):
            above = int((weight.abs() > threshold(weight, sparsity)).sum())
            nonzero = int((weight != 0).sum())
            assert profile.what_if(sparsity).kept == (above if sparsity else nonzero)


class TestOpening:
    def test_given_weights_are_the_base(
        self, data_dir: Path, tmp_path: Path, first_images: None
    ) -> None:
        path = tmp_path / "mine.safetensors"
        weights = dict(Cnn5().state_dict())
        save_weights(path, weights, {})
        net = drain(open_dense_net(Workbench(Settings(data_dir=data_dir, weights=path))))
        assert all(torch.equal(net.weights[name], weights[name]) for name in weights)

    @pytest.mark.parametrize("content", [None, b"garbage"])
    def test_weights_that_cannot_be_read_are_refused(
        self, content: bytes | None, data_dir: Path, tmp_path: Path, first_images: None
    ) -> None:
        path = tmp_path / "mine.safetensors"
        if content is not None:
            path.write_bytes(content)
        workbench = Workbench(Settings(data_dir=data_dir, weights=path))
        with pytest.raises(InputError, match=str(path)):
            drain(open_dense_net(workbench))

    def test_an_unknown_data_set_is_refused(self, data_dir: Path) -> None:
        workbench = Workbench(Settings(data_dir=data_dir, dataset="letters"))
        with pytest.raises(InputError, match=r"'letters'.*mnist"):
            drain(open_dense_net(workbench))

    def test_threads_are_set_as_requested(self) -> None:
        threads = torch.get_num_threads()
        try:
            Workbench(Settings(threads=threads + 1))
            assert torch.get_num_threads() == threads + 1
        finally:
            torch.set_num_threads(threads)


def reference_protocol(data_dir: Path, seed: int = 0) -> Settings:
    """Settings whose dense net is trained first, and of the nets the one that trains fastest."""
    return Settings(
        model="lenet-300-100", data_dir=data_dir, protocol="reference", precision="fp32", seed=seed
    )


class TestReferenceProtocol:
    def test_the_dense_net_is_trained_once_and_kept(
        self, data_dir: Path, empty_cache: Path, first_images: None
    ) -> None:
        settings = reference_protocol(data_dir)
        nets, events = [], []
        for _ in range(2):
            said: list[Event] = []
            workbench = Workbench(settings)
            nets.append(drain(open_dense_net(workbench), said.append))
            events.append(said)
        trained = [len([e for e in said if isinstance(e, Epoch)]) for said in events]
        assert trained == [workbench.training.epochs, 0]
        path, early = sorted((empty_cache / "dense").iterdir(), key=lambda path: len(path.name))
        assert early.name == f"{path.stem}.early.safetensors"
        assert any(isinstance(e, Notice) and str(path) in e.text for e in events[0])
        first, second = (net.weights for net in nets)
        assert same(first, second)
        assert nets[0].early is not None
        assert nets[1].early is not None
        assert same(nets[0].early, nets[1].early)
        assert not same(nets[0].early, first)
        assert nets[0].accuracy == nets[1].accuracy
        assert nets[0].accuracy.validation == nets[0].accuracy.test

    @pytest.mark.usefixtures("few_epochs")
    def test_another_seed_has_a_dense_net_of_its_own_in_the_cache(
        self, data_dir: Path, empty_cache: Path, first_images: None
    ) -> None:
        for seed in (0, 1):
            drain(open_dense_net(Workbench(reference_protocol(data_dir, seed))))
        assert len(list((empty_cache / "dense").iterdir())) == 4

    def test_a_cache_that_cannot_be_written_costs_no_training(
        self, data_dir: Path, empty_cache: Path, first_images: None
    ) -> None:
        empty_cache.parent.mkdir(parents=True)
        empty_cache.touch()
        settings = reference_protocol(data_dir)
        events: list[Event] = []
        net = drain(open_dense_net(Workbench(settings)), events.append)
        warnings = [event for event in events if isinstance(event, Notice) and event.warning]
        assert net.accuracy.test > 0
        assert len(warnings) == 1
        assert str(empty_cache) in warnings[0].text

    def test_a_stopped_training_leaves_no_net_in_the_cache(
        self, data_dir: Path, empty_cache: Path, first_images: None
    ) -> None:
        settings = reference_protocol(data_dir)
        events: list[Event] = []
        with pytest.raises(StoppedError):
            drain(
                open_dense_net(
                    Workbench(settings), lambda: any(isinstance(e, Batch) for e in events)
                ),
                events.append,
            )
        assert not list((empty_cache / "dense").glob("*.safetensors"))


class Bench:
    """A small workbench and the nets it opened, trained and fine-tuned."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self.workbench = Workbench(settings)
        self.plan = plan
        state = torch.get_rng_state()
        self.base: Net = drain(open_dense_net(self.workbench))
        self.tuned: FineTuningResult = drain(self.workbench.finetune(self.base, plan))
        self.trained: TrainingResult = drain(self.workbench.train())
        self.drew = not torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def small(data_dir: Path, first_images: None, aggressive: Plan) -> Bench:
    return Bench(
        Settings(data_dir=data_dir, precision="fp32", changes=RecipeChanges(epochs=1), seed=4),
        aggressive,
    )


RUN = (
    "model dataset protocol recipe precision threads seed parameters nonzero ratio layers "
    "accuracy epochs revived stopped"
)
EPOCH = {"epoch", "loss", "validation", "seconds", "sparsity", "final"}


def keys(rows: Sequence[dict[str, Any]]) -> list[set[str]]:
    return [set(row) for row in rows]


def test_reports_of_a_run_and_a_training_say_what_the_contract_says(small: Bench) -> None:
    workbench, base, tuned, trained = small.workbench, small.base, small.tuned, small.trained
    assert not small.drew

    net = workbench.net(tuned)
    assert net.accuracy == tuned.accuracy
    assert_profiles_are_those_of(net, tuned.weights)
    assert [round(profile.floor, 2) for profile in net.profiles] == [0.65, 0.95, 0.98, 0.98, 0.9]

    report = report_json(finetuned_record(workbench, base, small.plan, tuned))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(RUN.split()) <= set(report)
    assert keys(report["layers"]) == [{"name", "elements", "sparsity", "kept", "threshold"}] * 5
    assert keys(report["epochs"]) == [EPOCH]
    assert set(report["accuracy"]) == {"dense", "pruned", "finetuned"}
    assert keys(report["accuracy"].values()) == [{"validation", "test"}] * 3
    assert (report["parameters"], report["nonzero"], report["ratio"]) == (228_010, 6_183, 36.88)
    assert {row["name"]: row["sparsity"] for row in report["layers"]} == small.plan
    assert [row["kept"] for row in report["layers"]] == [280, 1280, 1024, 2949, 256]
    assert all(row["threshold"] > 0 for row in report["layers"])
    assert report["accuracy"]["finetuned"]["test"] == tuned.accuracy.test
    assert (report["revived"], report["stopped"], report["seed"]) == (0, False, 4)
    assert_dead_are_counted_apart(workbench, tuned, report)
    assert (report["precision"], report["threads"]) == ("fp32", torch.get_num_threads())

    diverged = replace(tuned, epochs=(replace(tuned.epochs[0], loss=float("nan")),))
    report = report_json(finetuned_record(workbench, base, small.plan, diverged))
    assert json.loads(json.dumps(report, allow_nan=False))["epochs"][0]["loss"] is None

    report = report_json(trained_record(workbench, trained))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert set(report["accuracy"]) == {"dense"}
    assert keys(report["epochs"]) == [EPOCH]
    assert (report["model"], report["seed"], report["parameters"]) == ("cnn5", 4, 228_010)


def assert_dead_are_counted_apart(
    workbench: Workbench, tuned: FineTuningResult, report: dict[str, Any]
) -> None:
    """Check the reported counts against the net with dead units removed."""
    model = workbench.fresh_model()
    model.load_state_dict(tuned.weights)
    images, _ = drain(workbench.splits()).test.batch(slice(0, 3))
    found = remove_dead(model, images)
    assert report["dead"] == found.units
    assert tuple(report["dead"]) == LAYERS
    left = sum(int(parameter.count_nonzero()) for parameter in model.parameters())
    assert report["nonzero_without_dead"] == left
    small = compacted(model, images)
    assert report["parameters_without_dead"] == parameter_count(small)


def test_with_nothing_left_there_is_no_ratio_to_speak_of(small: Bench) -> None:
    plan = dict.fromkeys(LAYERS, 1.0)
    result = drain(small.workbench.finetune(small.base, plan))
    report = report_json(finetuned_record(small.workbench, small.base, plan, result))
    assert [row["kept"] for row in report["layers"]] == [0] * 5
    assert report["nonzero"] == 394
    assert report["ratio"] == round(228_010 / 394, 2)
