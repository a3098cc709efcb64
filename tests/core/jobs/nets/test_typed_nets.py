"""Nets of any number type, with infinite buffers or torch's masks, in every job; or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.data.batches import Splits
from core.errors import InputError
from core.events import Event, Notice, drain
from core.experiments.experiment import Experiment
from core.formats.codec import to_state
from core.formats.export_formats import Packing
from core.jobs import measurement, recorded_jobs
from core.jobs.dense_net import open_dense_net
from core.jobs.export import export
from core.jobs.net import Net
from core.jobs.preflight import check
from core.jobs.restore import restore
from core.jobs.workbench import Workbench
from core.nets.weights import weights_digest
from core.pruning.plans import uniform_plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from core.training.finetuning import FineTuningResult
from tests.core.jobs.conftest import small
from tests.core.training_loops import of_type, same
from tests.support import typed_nets

pytestmark = pytest.mark.usefixtures("one_thread", "few_epochs")

PATH = typed_nets.__file__


@pytest.fixture(scope="module", autouse=True)
def few_images() -> Iterator[None]:
    whole = Splits.of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", lambda dataset, device: small(dataset, device, whole))
        yield


def workbench_of(name: str, data_dir: Path) -> Workbench:
    changes = RecipeChanges(epochs=1)
    settings = Settings(
        model=f"{PATH}:{name}", data_dir=data_dir, precision="fp32", changes=changes
    )
    return Workbench(settings)


def opened(workbench: Workbench) -> tuple[Net, list[str]]:
    check(workbench)
    events: list[Event] = []
    base = drain(open_dense_net(workbench), events.append)
    return base, [event.text for event in of_type(Notice, events)]


def finetuned(workbench: Workbench, base: Net, folder: Path) -> FineTuningResult:
    """Fine-tuned to 80 %, recorded, and restored from the record."""
    experiment, plan = Experiment(folder), uniform_plan(0.8, workbench.layer_names)
    result = drain(recorded_jobs.finetune(workbench, base, plan, experiment))
    again = drain(restore(workbench, base, experiment, experiment.newest()))
    assert weights_digest(again.net.weights) == weights_digest(result.weights)
    return result


@pytest.mark.parametrize("name", ["InfiniteMask", "partly"])
def test_a_net_of_any_type_works_in_every_job(
    name: str, data_dir: Path, empty_cache: Path, tmp_path: Path
) -> None:
    workbench = workbench_of(name, data_dir)
    base, _ = opened(workbench)
    result = finetuned(workbench, base, tmp_path / "runs")
    assert not result.diverged
    assert result.revived == 0
    assert drain(measurement.scan(workbench, base.weights, sparsities=(0.5,))).layers
    table = drain(measurement.costs(workbench, result.weights, "validation"))
    assert table.footprint.nonzero < table.footprint.parameters
    for file in ("net.safetensors", "net.pt", "net.fw", "net.onnx"):
        found = drain(export(workbench, result.weights, tmp_path / file, Packing()))
        assert found.accuracy == result.accuracy
    packing = Packing(values="float16")
    drain(export(workbench, result.weights, tmp_path / "small.fw", packing))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("half", "float16 parameters (conv.weight and 7 more) converted to float32"),
        ("double", "float64 parameters (place and 15 more) converted to float32"),
        ("partly", "bfloat16 parameters (fc1.weight and 3 more) converted to float32"),
        ("Following", "bfloat16 parameters (fc1.weight and 3 more) converted to float32"),
    ],
)
def test_other_floats_are_converted_and_said(name: str, said: str, data_dir: Path) -> None:
    workbench, events = workbench_of(name, data_dir), list[Event]()
    check(workbench)
    images, _ = drain(workbench.splits(), events.append).train.batch(slice(0, 2))
    assert said in [event.text for event in of_type(Notice, events)]
    net = workbench.models.for_inference(dict(workbench.fresh_model().state_dict()))
    assert net(images).dtype == torch.float32


def test_values_too_large_for_a_narrow_type_are_stored_exactly_in_a_buffer(
    data_dir: Path, empty_cache: Path, tmp_path: Path
) -> None:
    workbench = workbench_of("InfiniteMask", data_dir)
    weights = dict(workbench.fresh_model().state_dict())
    file = workbench.compact_file(weights, "bfloat16")
    stored = to_state(file)
    assert torch.equal(stored["near"], weights["near"])
    assert torch.equal(stored["causal"].float(), weights["causal"])
    weights["out.weight"] = torch.full_like(weights["out.weight"], 3.4e38)
    with pytest.raises(InputError, match=r"'out\.weight' has values too large for bfloat16"):
        workbench.compact_file(weights, "bfloat16")


def test_masks_that_a_net_gives_itself_are_the_floor_of_every_plan(
    data_dir: Path, empty_cache: Path, tmp_path: Path
) -> None:
    workbench = workbench_of("PrunesItself", data_dir)
    base, notices = opened(workbench)
    assert any("torch held of fc1.weight and 1 more are plain zeros" in text for text in notices)
    own = workbench.models.fresh_net(workbench.settings.seed).pruned["fc1.weight"]
    assert torch.equal(base.weights["fc1.weight"] == 0, own)
    assert int(base.weights["fc2.bias"].count_nonzero()) == 10
    (floor,) = (profile.floor for profile in base.profiles if profile.layer.name == "fc1")
    assert floor == int(own.sum()) / own.numel()
    plan = uniform_plan(0.0, workbench.layer_names)
    result = drain(workbench.finetune(base, plan))
    assert torch.equal(result.weights["fc1.weight"] == 0, own)
    assert result.revived == 0
    table = drain(measurement.costs(workbench, result.weights, "validation"))
    assert table.footprint.parameters - table.footprint.nonzero == int(own.sum())
    again = workbench_of("PrunesItself", data_dir)
    assert same(opened(again)[0].weights, base.weights), "the dense net was cached"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "Casting",
            r"cannot take images .*bfloat16 parameters \(fc1\.weight and 3 more\) converted to "
            "float32; remove conversions to bfloat16 from its code",
        ),
        ("Fourier", r"complex numbers in filter of Fourier"),
        ("quantized", r"quantized already: fc1 and 1 more"),
        ("computed", r"no prunable weights: 1\.weight and 1 more cannot be pruned: computed from"),
    ],
)
def test_a_net_that_cannot_be_pruned_is_refused_before_any_work(
    name: str, said: str, data_dir: Path, empty_cache: Path
) -> None:
    workbench = workbench_of(name, data_dir)
    with pytest.raises(InputError, match=said) as refused:
        check(workbench)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match=said):
        drain(open_dense_net(workbench))
    assert not list(empty_cache.rglob("*.safetensors"))


def test_a_default_type_that_the_users_file_sets_stays_in_it(
    data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "doubles.py"
    path.write_text(
        "import torch\n"
        "torch.set_default_dtype(torch.float64)\n"
        "def Net():\n"
        "    torch.set_default_dtype(torch.float64)\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))\n"
    )
    workbench = Workbench(Settings(model=f"{path}:Net", data_dir=data_dir, precision="fp32"))
    check(workbench)
    assert torch.get_default_dtype() == torch.float32
    one, other = (weights_digest(workbench.fresh_model().state_dict()) for _ in range(2))
    assert one == other
    images, _ = drain(workbench.splits()).train.batch(slice(0, 2))
    assert workbench.models.uninitialized()(images).dtype == torch.float32


def test_what_is_left_out_of_pruning_is_named(data_dir: Path, empty_cache: Path) -> None:
    events: list[Event] = []
    drain(workbench_of("Tokens", data_dir).splits(), events.append)
    said = "place cannot be pruned: defined by the net's own code, outside of any layer"
    assert said in [event.text for event in of_type(Notice, events) if event.warning]
