"""Masks that torch holds of any tensor become plain zeros, in a net and in its state_dict."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.ao.pruning import WeightNormSparsifier
from torch.nn.utils import parametrizations, prune

import core
from core.errors import InputError
from core.formats.weights_files import load_weights
from core.nets.prunable.torch_masks import check_no_torch_masks, take_torch_masks
from core.nets.weights import Weights, copy_weights
from tests.core.training_loops import same
from tests.support.typed_nets import MASKABLE, Plain, PrunesItself, Tokens

pytestmark = pytest.mark.usefixtures("one_thread")

IMAGES = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def tokens() -> Tokens:
    torch.manual_seed(0)
    return Tokens().eval()


def logits(net: nn.Module) -> Tensor:
    with torch.no_grad():
        return net(IMAGES)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(sorted(MASKABLE)), st.floats(0.1, 0.9), min_size=1))
def test_taking_masks_keeps_the_logits_and_leaves_zeros(masked: dict[str, float]) -> None:
    net = tokens()
    names = net.state_dict().keys()
    for key, amount in masked.items():
        prune.random_unstructured(*MASKABLE[key](net), amount=amount)
    before, held = logits(net), dict(net.state_dict())
    taken = take_torch_masks(net)
    check_no_torch_masks(net)
    assert torch.equal(logits(net), before)
    assert net.state_dict().keys() == names
    assert taken.keys() == masked.keys()
    for key, pruned in taken.items():
        assert not net.get_parameter(key)[pruned].any()
        assert int(pruned.sum()) == round(masked[key] * pruned.numel())
    with TemporaryDirectory() as folder:
        torch.save(held, path := Path(folder) / "held.pt")
        assert same(load_weights(path, tokens()), copy_weights(net))


def test_masks_of_a_tied_weight_are_taken_if_they_are_alike() -> None:
    net = tokens()
    mask = torch.rand(28, 28) > 0.4
    for module in (net.mix, net.again):
        prune.custom_from_mask(module, "weight", mask)
    before = logits(net)
    assert take_torch_masks(net).keys() == {"mix.weight", "again.weight"}
    assert torch.equal(logits(net), before)
    assert net.mix.weight is net.again.weight
    assert torch.equal(net.mix.weight == 0, ~mask)


@pytest.mark.parametrize("others", [0, 1])
def test_a_tied_weight_with_masks_that_differ_is_refused(others: int) -> None:
    net = tokens()
    prune.random_unstructured(net.head, "weight", 0.5)
    for module in (net.mix, net.again)[: 1 + others]:
        prune.random_unstructured(module, "weight", 0.5)
    before = dict(net.state_dict())
    with pytest.raises(InputError, match=r"mix\.weight.* one tied weight.*mask them alike"):
        core.from_torch_prune(net)
    assert same(dict(net.state_dict()), before)


def test_a_weight_that_is_infinite_under_its_mask_is_zero() -> None:
    net = nn.Linear(2, 2)
    prune.custom_from_mask(net, "weight", torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    with torch.no_grad():
        net.weight_orig[0, 0], net.weight_orig[1, 1] = float("inf"), -1.0
    (pruned,) = take_torch_masks(net).values()
    assert pruned.tolist() == [[True, False], [False, True]]
    zeros = net.weight[pruned]
    assert torch.equal(zeros, torch.zeros(2))
    assert not zeros.signbit().any()


def test_masks_of_torchs_other_pruning_are_taken() -> None:
    net = Plain().eval()
    sparsifier = WeightNormSparsifier(sparsity_level=0.5, sparse_block_shape=(1, 1))
    sparsifier.prepare(net, [{"tensor_fqn": "fc1.weight"}])
    sparsifier.step()
    before = logits(net)
    with pytest.raises(InputError, match=r"masks of fc1\.weight"):
        core.plan(net, 3)
    (pruned,) = take_torch_masks(net).values()
    assert int(pruned.sum()) == pruned.numel() // 2
    assert torch.equal(logits(net), before)
    assert net.state_dict().keys() == Plain().state_dict().keys()


def test_a_mask_among_other_parametrizations_is_refused_by_name() -> None:
    net = Plain()
    WeightNormSparsifier().prepare(net, [{"tensor_fqn": "fc1.weight"}])
    parametrizations.orthogonal(net.fc1)
    with pytest.raises(InputError, match=r"fc1\.weight has a mask of torch\.ao\.pruning and other"):
        core.from_torch_prune(net)


def checkpoint(net: nn.Module) -> tuple[Weights, Weights]:
    """A state_dict with masks, and the one without."""
    for module, name in ((net.fc1, "weight"), (net.fc1, "bias"), (net.bn, "weight")):
        prune.l1_unstructured(module, name, 0.5)
    held = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    take_torch_masks(net)
    return held, copy_weights(net)


def test_a_checkpoint_held_by_prune_fits_a_plain_net_and_one_with_masks(tmp_path: Path) -> None:
    held, plain = checkpoint(Plain())
    torch.save(held, path := tmp_path / "held-by-prune.pt")
    assert same(load_weights(path, Plain()), plain)
    masked = Plain()
    checkpoint_of_masked, _ = checkpoint(Plain())
    for name in ("weight", "bias"):
        prune.identity(masked.fc1, name)
    prune.identity(masked.bn, "weight")
    core.load_weights(masked, path)
    assert same(dict(masked.state_dict()), held)
    assert held.keys() == checkpoint_of_masked.keys()


def test_masks_that_a_net_gives_itself_are_named_by_every_call() -> None:
    net = PrunesItself()
    calls = (lambda: core.plan(net, 2), lambda: core.prune(net, {}), lambda: core.save(net, "x.fw"))
    for call in (*calls, lambda: core.unprunable_weights(net)):
        with pytest.raises(InputError, match=r"masks of fc1\.weight and 1 more.*from_torch_prune"):
            call()
    masks = core.from_torch_prune(net)
    left = int((net.fc1.weight != 0).sum())
    assert left == 2304 - round(0.3 * 2304) - round(0.3 * (2304 - round(0.3 * 2304)))
    assert int((~masks.pruned["fc1.weight"]).sum()) == left
    assert core.plan(net, 2)["fc1"] >= 0.5
