"""Number types of users' nets: converted to float32, or refused with names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import core
from core.errors import InputError
from core.nets.prunable.plain_net import check_float32, check_number_types, plain
from core.nets.weights import check_fit, copy_weights, weights_digest
from tests.core.training_loops import same
from tests.support.typed_nets import (
    Casting,
    Fourier,
    InfiniteMask,
    Plain,
    PrunesItself,
    Tokens,
    double,
    half,
    partly,
    quantized,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (half, "float16 parameters (conv.weight and 7 more) converted to float32"),
        (double, "float64 parameters (place and 15 more) converted to float32"),
        (partly, "bfloat16 parameters (fc1.weight and 3 more) converted to float32"),
    ],
)
def test_other_floats_are_converted_exactly_and_named(make, said: str) -> None:
    net = make()
    before = copy_weights(net)
    model, pruned, changes = plain(net)
    assert [change.what for change in changes] == [said]
    assert (model, pruned) == (net, {})
    after = copy_weights(net)
    assert all(after[name].dtype in (torch.float32, torch.int64) for name in after)
    assert same(after, {name: tensor.to(after[name].dtype) for name, tensor in before.items()})
    check_float32(net)
    assert plain(net).changes == ()


def test_ties_remain_when_a_net_is_converted() -> None:
    net = plain(Tokens().bfloat16()).model
    assert net.mix.weight is net.again.weight
    assert net(torch.zeros(2, 1, 28, 28)).dtype == torch.float32


def test_a_float32_net_is_left_as_it_is() -> None:
    net = InfiniteMask()
    net.register_buffer("places", torch.zeros(3, dtype=torch.float64))
    before = {name: tensor.data_ptr() for name, tensor in net.state_dict().items()}
    assert plain(net).changes == ()
    assert {name: tensor.data_ptr() for name, tensor in net.state_dict().items()} == before


def test_masks_of_a_net_are_zeros_and_said() -> None:
    _, pruned, (change,) = plain(PrunesItself())
    assert pruned.keys() == {"fc1.weight"}
    assert change.what == (
        "the masks that torch held of fc1.weight and 1 more are plain zeros now; fc2.bias will be "
        "trained, since only weights of layers are pruned"
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Fourier, r"complex numbers in filter of Fourier: only real weights can be pruned"),
        (quantized, r"quantized already: fc1 and 1 more \(torch\.ao\.nn\.quantized\.dynamic\S*\)"),
        (lambda: Sparse(), r"fc\.weight of Sparse is sparse_csr: only dense floats"),
        (lambda: Packed(), r"fc\.weight of Packed is Int4: only dense floats"),
        (lambda: Integers(), r"fc\.weight of Integers is int8: only dense floats"),
    ],
)
def test_what_cannot_be_pruned_is_refused_with_names(make, said: str) -> None:
    net = make()
    for call in (lambda: check_number_types(net), lambda: core.plan(net, 2)):
        with pytest.raises(InputError, match=said):
            call()


class Sparse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.fc.weight = nn.Parameter(torch.eye(3).to_sparse_csr(), requires_grad=False)


class Integers(nn.Module):
    """As libraries for 8-bit weights have them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.fc.weight = nn.Parameter(torch.ones(3, 3, dtype=torch.int8), requires_grad=False)


class Packed(nn.Module):
    """As torchao quantizes a layer in place."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        kind = type("Int4", (torch.Tensor,), {"__module__": "torchao.dtypes.int4"})
        self.fc.weight = nn.Parameter(torch.ones(3, 3).as_subclass(kind), requires_grad=False)


def test_modules_that_help_quantization_in_float_are_fine() -> None:
    net = nn.ModuleList([nn.Linear(2, 2), torch.ao.nn.quantized.FloatFunctional()])
    check_number_types(net)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_plan_and_prune_take_any_float_and_the_rest_names_the_fix(dtype: torch.dtype) -> None:
    net = Plain().to(dtype)
    single = Plain()
    single.load_state_dict(net.state_dict())
    plan = core.plan(net, 5)
    masks = core.prune(net, plan)
    assert net.fc1.weight.dtype == dtype
    assert same(masks.pruned, core.prune(single, core.plan(single, 5)).pruned) or dtype.itemsize > 4
    images = torch.zeros(240, 1, 28, 28, dtype=torch.uint8)
    data = core.splits((images, torch.arange(240) % 10))
    said = (
        rf"conv\.weight and 7 more of Plain: {str(dtype)[6:]}, not float32; call model\.float\(\)"
    )
    for call in (
        lambda: core.finetune(net, plan, data),
        lambda: core.scan(net, data),
        lambda: core.compact(net, data),
        lambda: core.accelerate(net, data),
        lambda: core.evaluate(net, data),
    ):
        with pytest.raises(InputError, match=said):
            call()
    assert core.evaluate(Casting(), data).test == 10.0


def test_a_net_with_infinite_buffers_loses_its_dead_units_and_keeps_its_logits() -> None:
    net = InfiniteMask().eval()
    core.prune(net, {"inp": 0.9, "qkv": 0.9, "out": 0.5})
    images = torch.randint(0, 256, (240, 1, 28, 28), dtype=torch.uint8)
    data = core.splits((images, torch.arange(240) % 10))
    some, _ = data.test.batch(slice(0, 4))
    logits = net(some)
    assert torch.allclose(core.compact(net, data)(some), logits, atol=1e-4)
    core.remove_dead(net, data)
    assert torch.allclose(net(some), logits, atol=1e-4)


def test_values_that_are_not_finite_are_damage_where_the_net_has_finite_ones(tmp_path) -> None:
    net = InfiniteMask()
    weights = copy_weights(net)
    found = check_fit(dict(weights), net, tmp_path)
    assert weights_digest(found) == weights_digest(weights)
    for name in ("causal", "inp.weight"):
        broken = {**weights, name: weights[name].clone()}
        broken[name][-1, 0] = float("nan")
        with pytest.raises(InputError, match=f"'{name}' has values that are not finite"):
            check_fit(broken, net, tmp_path)
    plain_net = Plain()
    broken = copy_weights(plain_net)
    broken["bn.running_var"][0] = float("inf")
    with pytest.raises(InputError, match=r"'bn.running_var' has values that are not finite"):
        check_fit(broken, plain_net, tmp_path)
