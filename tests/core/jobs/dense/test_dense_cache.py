"""The dense cache: one net per combination of settings that training depends on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.events import Epoch, Notice
from core.formats.weights_files import save_dense
from core.jobs.dense_net import cached_net, cached_or_trained, open_dense_net
from core.jobs.workbench import Workbench
from core.nets.weights import DenseWeights, weights_digest
from core.progress import Meter
from core.settings.settings import Settings
from tests.core.data.folders.drawn import fill
from tests.core.training_loops import of_type, recorded, same
from tests.core.user_nets import write

pytestmark = pytest.mark.usefixtures("one_thread", "few_epochs")


@pytest.fixture
def settings(data_dir: Path, empty_cache: Path, tmp_path: Path) -> Settings:
    """A linear layer of the user's on a few digits."""
    model = f"{write(tmp_path)}:factory"
    return Settings(model=model, data_dir=data_dir, precision="fp32")


def test_a_net_is_trained_once_for_each_seed_and_recipe(
    settings: Settings, empty_cache: Path
) -> None:
    made = {}
    for again in range(2):
        for name, changes in (
            ("plain", {}),
            ("seed", {"seed": 1}),
            ("recipe", {"recipe": "reference"}),
        ):
            workbench = Workbench(replace(settings, **changes))
            dense, events = recorded(cached_or_trained(workbench, lambda: False))
            assert bool(of_type(Epoch, events)) == (again == 0)
            assert same(made.setdefault(name, dense.weights), dense.weights)
    kept = {path.stem for path in (empty_cache / "dense").iterdir() if ".early" not in path.name}
    assert len(kept) == 3


def test_the_bar_of_opening_a_net_that_is_trained_first_never_falls(settings: Settings) -> None:
    net, events = recorded(open_dense_net(Workbench(settings)))
    assert net.trained
    meter, shares = Meter(), []
    for now, event in enumerate(events):
        meter = meter.after(event, now)
        shares.append(meter.done or 0.0)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("end", [b"", b"flip"], ids=["truncated", "flipped"])
def test_a_kept_net_that_is_damaged_is_trained_again_with_a_warning(
    end: bytes, settings: Settings, empty_cache: Path
) -> None:
    workbench = Workbench(settings)
    first, _ = recorded(cached_or_trained(workbench, lambda: False))
    (path,) = (file for file in (empty_cache / "dense").iterdir() if ".early" not in file.name)
    path.write_bytes(path.read_bytes()[:-4] + end)
    second, events = recorded(cached_or_trained(workbench, lambda: False))
    assert same(first.weights, second.weights)
    assert any(
        "cannot be used" in notice.text for notice in of_type(Notice, events) if notice.warning
    )


def test_a_kept_net_is_found_by_its_digest_alone(settings: Settings, empty_cache: Path) -> None:
    workbench = Workbench(settings)
    assert cached_net(workbench, "anything") is None
    (empty_cache / "dense").mkdir(parents=True)
    weights = {
        name: tensor.clone() for name, tensor in workbench.fresh_model().state_dict().items()
    }
    other = {name: tensor + 1 for name, tensor in weights.items()}
    stem = "mine.factory"
    for number, content in enumerate((weights, other)):
        path = empty_cache / "dense" / f"{stem}-{number}.safetensors"
        save_dense(path, DenseWeights(content, None), {})
    (empty_cache / "dense" / f"{stem}-2.safetensors").write_bytes(b"damaged")
    found = cached_net(workbench, weights_digest(other))
    assert found is not None
    assert torch.equal(found.weights["1.weight"], other["1.weight"])


def test_a_kept_net_belongs_to_its_code_and_images_by_every_path(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "pets", 12)
    code = "def net(num_classes): return nn.Sequential(nn.Flatten(), nn.Linear(784, num_classes))"
    (tmp_path / "net.py").write_text(f"from torch import nn\n{code}\n")
    trained, names = list[bool](), set[str]()
    for here, place in ((tmp_path, "."), (tmp_path / "pets", tmp_path)):
        monkeypatch.chdir(here)
        workbench = Workbench(Settings(model=f"{place}/net.py:net", dataset=f"folder:{place}/pets"))
        _, events = recorded(cached_or_trained(workbench, lambda: False))
        trained.append(bool(of_type(Epoch, events)))
        names.add(workbench.data_name)
    assert trained == [True, False]
    assert len(names) == 1
