"""A user's own net: imported, built, tried, pruned and fine-tuned; and what can go wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Splits
from core.data.splits import Dataset
from core.errors import InputError
from core.events import Event, Notice, drain
from core.experiments.experiment import Experiment, default_name
from core.formats.weights_files import load_weights
from core.jobs import measurement
from core.jobs.dense_net import open_dense_net
from core.jobs.recorded_jobs import finetune
from core.jobs.restore import restore
from core.jobs.workbench import Workbench
from core.nets.layers import parameter_count, prunable_layers
from core.nets.prunable.unprunable import unprunable_weights
from core.nets.user_model import build
from core.nets.weights import copy_weights
from core.nets.zoo import short_name
from core.pruning.curves import SPARSITIES
from core.pruning.masks import Masks
from core.pruning.plans import uniform_plan
from core.settings.recipe_changes import RecipeChanges
from core.settings.settings import Settings
from tests.core.conftest import head
from tests.core.training_loops import of_type, same
from tests.core.user_nets import write

pytestmark = pytest.mark.usefixtures("one_thread", "few_epochs")


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def few_images() -> Iterator[None]:
    """The first images only, and a tenth of the steps that so few images get."""
    whole = Splits.of

    def few(dataset: Dataset, device: object) -> Splits:
        data = whole(dataset, device)
        return Splits(head(data.train, 150), head(data.validation, 50), head(data.test, 50))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Splits, "of", few)
        patch.setattr("core.training.recipes.TRAINING_STEPS", 40)
        yield


def workbench_of(mine: Path, name: str, data_dir: Path, **more: Any) -> Workbench:
    settings = Settings(
        model=f"{mine}:{name}",
        data_dir=data_dir,
        precision="fp32",
        changes=RecipeChanges(epochs=2),
        **more,
    )
    return Workbench(settings)


@pytest.mark.parametrize("name", ["Net", "Viewing", "Attending", "factory"])
def test_a_user_net_is_trained_pruned_scanned_fine_tuned_and_restored(
    name: str, mine: Path, data_dir: Path, few_images: None, empty_cache: Path, tmp_path: Path
) -> None:
    workbench, events = workbench_of(mine, name, data_dir), list[Event]()
    base = drain(open_dense_net(workbench), events.append)
    notices = [event.text for event in of_type(Notice, events)]
    assert notices[0] == f"running code from {mine}:{name}"
    assert any(f"training the dense mine.{name} on mnist" in text for text in notices)
    plan = uniform_plan(0.8, workbench.layer_names)
    experiment = Experiment(tmp_path / "runs")
    tuned = drain(finetune(workbench, base, plan, experiment))
    assert tuned.revived == 0
    weights = tuned.weights
    for layer in workbench.layers:
        assert int(weights[layer.key].count_nonzero()) == layer.elements - round(
            0.8 * layer.elements
        )
        assert all(torch.equal(weights[layer.key], weights[key]) for key in layer.aliases)
    scan = drain(measurement.scan(workbench, base.weights, sparsities=SPARSITIES[::6]))
    assert set(scan.layers) == set(workbench.layer_names)
    again = drain(restore(workbench, base, experiment, experiment.newest()))
    assert same(again.net.weights, weights)
    assert experiment.newest().record.nonzero == workbench.parameters - sum(
        round(0.8 * layer.elements) for layer in workbench.layers
    )
    opened = drain(open_dense_net(workbench_of(mine, name, data_dir)), events.append)
    assert opened.digest == base.digest, "the dense net was cached"


def test_the_layers_of_a_users_net_are_its_convolutions_and_linears(mine: Path) -> None:
    net = build(f"{mine}:Net")
    layers = {layer.name: layer for layer in prunable_layers(net)}
    assert list(layers) == [
        "stem", "blocks.0.depthwise", "blocks.0.grouped", "blocks.1.depthwise", "blocks.1.grouped",
        "mix", "head",
    ]  # fmt: skip
    assert layers["mix"].aliases == ("again.weight",)
    assert layers["blocks.0.depthwise"].shape == (12, 1, 3, 3)
    assert [layers[name].kind for name in ("stem", "blocks.0.depthwise", "blocks.0.grouped")] == [
        "convolution", "depthwise convolution", "convolution",
    ]  # fmt: skip
    # The bias of `again` is outside of every layer, and so are the batch norms.
    outside = parameter_count(net) - sum(layer.parameters for layer in layers.values())
    assert outside == 12 + 2 * 24
    assert unprunable_weights(net) == {}


def test_packed_transposed_and_recurrent_weights_and_those_left_out(mine: Path) -> None:
    net = build(f"{mine}:Attending")
    names = [layer.name for layer in prunable_layers(net)]
    assert names == [
        "up", "place", "attention.in_proj_weight", "attention.out_proj", "rows.weight_ih_l0",
        "rows.weight_hh_l0", "head",
    ]  # fmt: skip
    assert [layer.kind for layer in prunable_layers(net)] == [
        "transposed convolution", "embedding", "linear", "linear", "recurrent", "recurrent",
        "linear",
    ]  # fmt: skip
    assert list(unprunable_weights(net)) == ["normed.weight"]
    weights = copy_weights(net)
    for layer in prunable_layers(net):
        assert weights[layer.key].shape == layer.shape


def test_a_module_under_two_names_is_one_layer_and_stays_pruned() -> None:
    one = nn.Linear(4, 4)
    net = nn.ModuleDict({"a": one, "b": one, "c": nn.Linear(4, 2)})
    layers = prunable_layers(net)
    assert [(layer.name, layer.aliases) for layer in layers] == [("a", ("b.weight",)), ("c", ())]
    weights = copy_weights(net)
    masks = Masks.of(weights, layers, {"a": 0.5, "c": 0.0})
    net.load_state_dict(masks.apply(weights))
    assert int(one.weight.count_nonzero()) == 8
    net.load_state_dict(weights)
    masks.hold(net)
    assert int(one.weight.count_nonzero()) == 8
    assert masks.kept(layers[0]) == 8


def test_a_net_that_is_itself_one_layer_can_be_pruned() -> None:
    (layer,) = prunable_layers(nn.Linear(3, 2))
    assert (layer.name, layer.key, layer.parameters) == ("weight", "weight", 8)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{folder}/none.py:Net", "no such file: .*none.py"),
        ("timm.create_model", r"package.module:Net; did you mean timm:create_model\?$"),
        ("torchvision.models.resnet18", r"; did you mean torchvision.models:resnet18\?$"),
        ("torchvision:models.resnet18", r"Net; did you mean torchvision.models:resnet18\?$"),
        ("{folder}/mine.py.Net", r"; did you mean .*/mine.py:Net\?$"),
        ("{folder}/mine.py", "unknown model .*, or path/to/net.py:Net or package.module:Net"),
        ("{folder}/mine.py:", "expected path/to/net.py:Net"),
        ("a-b:Net", "expected path/to/net.py:Net or package.module:Net"),
    ],
)
def test_a_malformed_model_name_is_refused_before_any_code_runs(
    mine: Path, model: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Settings(model=model.format(folder=mine.parent))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Nett", "has no 'Nett': expected one of Block, Net, Viewing, Attending"),
        ("Block", r"'Block' of .* needs arguments \(width\): add --model-args width=VALUE, or"),
        ("needy", r"needs arguments \(width\)"),
        ("broken", r"raised RuntimeError: no weights today \(mine.py line \d+\)"),
        ("number", "returns a int: expected a torch.nn.Module"),
        ("constant", "is not a class or function: expected one of Block, Net, "),
        ("made", "is a net already: name its class, or a function that returns one"),
    ],
)
def test_a_net_that_cannot_be_built_says_why(mine: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(f"{mine}:{name}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nowhere_at_all", "needs nowhere_at_all: install it"),
        ("x = (", r"raised SyntaxError: .*\("),
        ("def f():\n    return 1 / 0\nf()", r"raised ZeroDivisionError: .*\(net.py line 2\)"),
        ("from core import nothing", r"raised ImportError: [^;]*$"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(tmp_path: Path, source: str, message: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(source)
    with pytest.raises(InputError, match=message):
        build(f"{path}:Net")


@pytest.mark.parametrize(
    "source",
    [
        "from core.layers import x",
        "from core import layers",
        "import core\nx = core.layers",
        "def Net():\n    from core import layers",
    ],
)
def test_a_package_of_the_users_with_a_name_of_ours_is_to_be_renamed(
    tmp_path: Path, source: str
) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "net.py").write_text(source)
    own = rf"the name core belongs to Featherweight; rename {tmp_path / 'core'}"
    with pytest.raises(InputError, match=own):
        build(f"{tmp_path / 'net.py'}:Net")


def test_a_file_of_a_package_is_to_be_named_by_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "kinds" / "nets"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "parts.py").write_text("from torch.nn import Flatten as Net")
    (package / "whole.py").write_text("from .parts import Net")
    for here, way in (
        (tmp_path, r"kinds\.nets\.whole:Net"),
        (package, rf"nets\.whole:Net in the folder {package.parent}"),
        (Path(__file__).parent, rf"nets\.whole:Net in the folder {package.parent}"),
    ):
        monkeypatch.chdir(here)
        with pytest.raises(InputError, match=rf"part of a package; use --model {way}$"):
            build(f"{package / 'whole.py'}:Net")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert isinstance(build("kinds.nets.whole:Net"), nn.Module)


def test_a_net_can_be_named_by_module_and_attribute() -> None:
    assert isinstance(build("core.nets.architectures:Cnn5"), nn.Module)
    with pytest.raises(InputError, match=r"no module core\.nothing"):
        build("core.nothing:Net")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flat", r"cannot take images \[2, 1, 28, 28\]: forward\(\) .* raised RuntimeError: "),
        ("few", r"returns \[2, 3\] for images .*expected \[2, 10\]"),
        ("pair", r"returns a tuple \(\[0\] \[2, 1, 28, 10\], .*\) for images"),
        ("empty", "Sequential has no prunable weights"),
    ],
)
def test_a_net_that_does_not_fit_the_images_says_why(
    name: str, message: str, mine: Path, data_dir: Path, few_images: None, empty_cache: Path
) -> None:
    with pytest.raises(InputError, match=message):
        drain(open_dense_net(workbench_of(mine, name, data_dir)))


def test_a_users_net_is_called_by_its_file_and_class(mine: Path) -> None:
    assert short_name(f"{mine}:Net") == "mine.Net"
    assert short_name("torchvision.models:resnet18") == "models.resnet18"
    assert short_name("lenet-5") == "lenet-5"
    assert default_name("mine.Net", "mnist") == "mine.Net-mnist"


def test_a_dense_net_that_calls_view_is_trained(
    mine: Path, data_dir: Path, few_images: None
) -> None:
    trained = drain(workbench_of(mine, "Viewing", data_dir).train())
    assert len(trained.epochs) == 2


def test_a_model_file_that_exits_does_not_end_the_program(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("raise SystemExit(3)")
    with pytest.raises(InputError, match=r"raised SystemExit: 3"):
        build(f"{tmp_path / 'net.py'}:Net")


def test_a_weight_that_the_net_itself_names_too_is_counted_once() -> None:
    net = nn.Sequential(nn.Linear(4, 3))
    net.also = net[0].weight
    (layer,) = prunable_layers(net)
    assert (layer.parameters, layer.aliases) == (15, ("also",)) or layer.name == "0"
    assert layer.parameters >= layer.elements == 12
    assert parameter_count(net) == 15


class TestPickledWeights:
    @pytest.fixture
    def net(self) -> nn.Module:
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))

    @pytest.mark.parametrize("inside", [None, "state_dict", "model_state_dict", "model"])
    @pytest.mark.parametrize("prefix", ["", "module."])
    def test_a_state_dict_is_found(
        self, net: nn.Module, tmp_path: Path, inside: str | None, prefix: str
    ) -> None:
        state: dict[str, Any] = {prefix + name: tensor for name, tensor in net.state_dict().items()}
        path = tmp_path / "net.pt"
        torch.save({inside: state, "epoch": 3} if inside else state, path)
        assert same(load_weights(path, net), dict(net.state_dict()))

    def test_no_other_object_than_tensors_is_unpickled(
        self, net: nn.Module, tmp_path: Path
    ) -> None:
        path = tmp_path / "net.pt"
        torch.save(net, path)
        with pytest.raises(InputError, match=r"a whole pickled model \(torch\.nn.*Sequential\)"):
            load_weights(path, net)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"a": 3}, "holds no tensors"),
            ([1, 2], "holds no tensors"),
            (torch.ones(2, 3), "holds one tensor, not the weights of a net: expected a state_dict"),
            ({"0.weight": torch.ones(2, 3)}, r"3 of 4 names are missing \('0.bias', '1.weight', "),
        ],
    )
    def test_a_file_without_a_state_dict_is_refused(
        self, net: nn.Module, tmp_path: Path, content: Any, message: str
    ) -> None:
        path = tmp_path / "net.pth"
        torch.save(content, path)
        with pytest.raises(InputError, match=message):
            load_weights(path, net)

    def test_wrong_shapes_and_surplus_names_are_named(self, net: nn.Module, tmp_path: Path) -> None:
        path = tmp_path / "net.pt"
        state: dict[str, Tensor] = dict(net.state_dict())
        torch.save({**state, "0.weight": torch.ones(5, 3)}, path)
        with pytest.raises(InputError, match=r"'0.weight' has shape \(5, 3\), expected \(2, 3\)"):
            load_weights(path, net)
        torch.save({**state, "x": torch.ones(1)}, path)
        with pytest.raises(InputError, match="'x' is surplus"):
            load_weights(path, net)

    def test_a_child_that_is_called_module_keeps_its_name(self, tmp_path: Path) -> None:
        net = nn.ModuleDict({"module": nn.Linear(2, 2)})
        torch.save(net.state_dict(), path := tmp_path / "net.pt")
        assert same(load_weights(path, net), dict(net.state_dict()))
        torch.save({3: torch.ones(1)}, path)
        with pytest.raises(InputError, match=r"2 of 2 names are missing .*; '3' is surplus"):
            load_weights(path, net)

    def test_tied_weights_that_disagree_are_named(self, tmp_path: Path) -> None:
        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        net[1].weight = net[0].weight
        state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        torch.save(state, path := tmp_path / "net.pt")
        load_weights(path, net)
        state["1.weight"][0, 0] = 9
        torch.save(state, path)
        with pytest.raises(InputError, match=r"'0\.weight' and '1\.weight' are one"):
            load_weights(path, net)

    def test_garbage_and_a_missing_file_are_refused(self, net: nn.Module, tmp_path: Path) -> None:
        path = tmp_path / "net.pt"
        with pytest.raises(InputError, match="no weights file at"):
            load_weights(path, net)
        path.write_bytes(b"garbage")
        with pytest.raises(InputError, match="is an unknown kind of file: expected weights"):
            load_weights(path, net)
