"""Units: the constants a call outputs, and the units it reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, fx, nn

from core.graph.units import LayerCall, ShapeCall, UnitCall, UnitwiseCall

NAN = float("nan")


def nodes(count: int) -> list[fx.Node]:
    """A chain of calls, each reading the one before."""
    graph = fx.Graph()
    chain = [graph.placeholder("x")]
    while len(chain) < count:
        chain.append(graph.call_function(torch.relu, (chain[-1],)))
    return chain


def linear_call(weight: Tensor, bias: Tensor | None) -> LayerCall:
    """A linear layer that reads the units of the call before."""
    source, node = nodes(2)
    units, inputs = weight.shape
    module = nn.Linear(inputs, units, bias=bias is not None)
    module.weight = nn.Parameter(weight)
    if bias is not None:
        module.bias = nn.Parameter(bias)
    return LayerCall(node, units, source, inputs, "fc", module, padded=False)


@st.composite
def pruned_layers(draw: st.DrawFn) -> tuple[LayerCall, Tensor]:
    """A linear layer with zeros, and the constants of its inputs, NaN where they vary."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    units, inputs = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    weight = torch.randn(units, inputs) * (torch.rand(units, inputs) < draw(st.floats(0, 1)))
    bias = torch.randn(units) if draw(st.booleans()) else None
    constants = torch.randn(inputs, dtype=torch.float64).round()
    constants[torch.rand(inputs) < draw(st.floats(0, 1))] = NAN
    return linear_call(weight, bias), constants


def filled(constants: Tensor, seed: int) -> Tensor:
    """Values that equal the constants, and are random where these vary."""
    random = torch.randn(4, len(constants), generator=torch.Generator().manual_seed(seed))
    return torch.where(constants.isnan(), random.double(), constants).float()


@given(pruned_layers())
def test_a_constant_of_a_layer_is_what_it_outputs_whatever_varies(
    case: tuple[LayerCall, Tensor],
) -> None:
    call, inputs = case
    constants = call.constants({call.source: inputs})
    outputs = [call.module(filled(inputs, seed)) for seed in (0, 1)]
    for unit, constant in enumerate(constants.tolist()):
        varies = not torch.allclose(outputs[0][:, unit], outputs[1][:, unit], atol=1e-6)
        if constant == constant:
            for output in outputs:
                expected = torch.full((4,), constant)
                torch.testing.assert_close(output[:, unit], expected, rtol=1e-4, atol=1e-5)
        assert varies <= (constant != constant)


@given(pruned_layers(), st.data())
def test_removing_leaves_the_needed_units_as_they_were_and_zeroes_the_rest(
    case: tuple[LayerCall, Tensor], data: st.DataObject
) -> None:
    call, constants = case
    known = {call.source: constants}
    needed = torch.tensor(
        data.draw(st.lists(st.booleans(), min_size=call.units, max_size=call.units))
    )
    values = filled(constants, seed=0)
    before, reads = call.module(values), call.reads(known, needed)
    call.remove(known, needed)
    after = call.module(values)
    torch.testing.assert_close(after[:, needed], before[:, needed], rtol=1e-4, atol=1e-5)
    assert not after[:, ~needed].any()
    assert not call.weight[~needed].any()
    assert not call.weight[:, :, 0][~reads & needed[:, None]].any()


def test_a_unit_without_connections_holds_its_bias() -> None:
    call = linear_call(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([0.25, 0.5]))
    constants = call.constants({call.source: torch.tensor([NAN, NAN], dtype=torch.float64)})
    assert constants[0] == 0.25
    assert constants[1].isnan()


def test_a_constant_input_is_read_only_where_no_bias_absorbs_it() -> None:
    weight, everything = torch.ones(1, 2), torch.tensor([True])
    constants = torch.tensor([2.0, NAN], dtype=torch.float64)
    for bias, reads in ((torch.zeros(1), [False, True]), (None, [True, True])):
        call = linear_call(weight, bias)
        assert call.reads({call.source: constants}, everything)[0].tolist() == reads


def test_padding_makes_every_constant_but_zero_vary_at_the_border() -> None:
    source, node = nodes(2)
    module = nn.Conv2d(2, 1, 3, padding=1)
    call = LayerCall(node, 1, source, 2, "conv", module, padded=True)
    constants = torch.tensor([0.0, 3.0], dtype=torch.float64)
    assert call.constants({source: constants}).isnan().all()
    assert call.reads({source: constants}, torch.tensor([True])).tolist() == [[False, True]]
    assert call.connected.shape == (1, 2)


def test_an_unknown_call_varies_and_needs_everything_it_reads() -> None:
    source, node = nodes(2)
    call = UnitCall(node, 3)
    assert call.constants({}).isnan().all()
    needs = call.needs({source: torch.zeros(4)}, torch.zeros(3, dtype=torch.bool))
    assert needs[source].tolist() == [True] * 4


def test_a_call_that_reads_a_shape_needs_no_unit() -> None:
    assert ShapeCall(nodes(2)[1], 0).needs({}, torch.zeros(0, dtype=torch.bool)) == {}


@pytest.mark.parametrize(
    ("function", "inputs", "outputs"),
    [
        (torch.relu, [-1.0, 2.0, NAN], [0.0, 2.0, NAN]),
        (torch.sigmoid, [0.0, 0.0, NAN], [0.5, 0.5, NAN]),
        (torch.log, [-1.0, 0.0, 1.0], [NAN, NAN, 0.0]),
    ],
)
def test_a_unitwise_call_maps_constants_and_only_finite_ones_stay(
    function: Callable[[Tensor], Tensor], inputs: list[float], outputs: list[float]
) -> None:
    source, node = nodes(2)
    call = UnitwiseCall(node, 3, source, function)
    constants = torch.tensor(inputs, dtype=torch.float64)
    before = constants.clone()
    result = call.constants({source: constants})
    assert result.allclose(torch.tensor(outputs, dtype=torch.float64), equal_nan=True)
    assert constants.allclose(before, equal_nan=True), "its own copy is mapped"
    needed = torch.tensor([True, False, True])
    assert call.needs({}, needed)[source] is needed
