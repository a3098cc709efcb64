"""Who multiplies by a prunable weight: modules, functions, attention and recurrent nets alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from core.data.batches import Images
from core.events import drain
from core.measure.activity import measure_activity
from core.measure.costs import NetActivity

IMAGES, STEPS, FEATURES = 6, 5, 8


class Reads(nn.Module):
    """An image's rows as a sequence [N, 5, 8] for a net, whose parts are attributes."""

    def __init__(self, forward: Callable[[Reads, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, images: Tensor) -> Tensor:
        return self._forward(self, images[:, 0])


def measured(forward: Callable[..., Tensor], **parts: nn.Module) -> NetActivity:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 5, (IMAGES, 1, STEPS, FEATURES), generator=random, dtype=torch.uint8)
    data = Images(pixels, torch.zeros(IMAGES, dtype=torch.long), 0.0, 1 / 255)
    return drain(measure_activity(Reads(forward, **parts), data))


def macs(activity: NetActivity) -> dict[str, float]:
    return {name: layer.macs for name, layer in activity.layers.items()}


def attention(**options: object) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(FEATURES, 2, batch_first=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [False, True], ids=["values", "values and weights"])
def test_attention_multiplies_by_its_projections_and_once_for_scores_and_values(
    weights: bool,
) -> None:
    activity = measured(
        lambda net, x: net.mix(x, x, x, need_weights=weights)[0].mean(1), mix=attention()
    )
    square = FEATURES * FEATURES
    assert macs(activity) == {
        "mix.in_proj_weight": 3 * STEPS * square,
        "mix.out_proj": STEPS * square,
    }
    assert activity.unprunable == 2 * STEPS * STEPS * FEATURES
    assert activity.layers["mix.in_proj_weight"].units == 3 * STEPS * FEATURES
    assert 0.5 < activity.layers["mix.in_proj_weight"].input < 1
    assert activity.layers["mix.out_proj"].input == 1


def test_attention_to_another_sequence_uses_slices_of_its_packed_weight() -> None:
    activity = measured(lambda net, x: net.mix(x, x[:, :2], x[:, :2])[0].mean(1), mix=attention())
    square = FEATURES * FEATURES
    assert macs(activity) == {
        "mix.in_proj_weight": (STEPS + 2 + 2) * square,
        "mix.out_proj": STEPS * square,
    }
    assert activity.unprunable == 2 * STEPS * 2 * FEATURES


def test_a_transformer_is_counted_where_torch_would_run_it_in_one_kernel() -> None:
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(FEATURES, 2, 16, batch_first=True), 2
    )
    activity = measured(lambda net, x: net.encode(x).mean(1), encode=encoder)
    for layer in ("encode.layers.0", "encode.layers.1"):
        square = FEATURES * FEATURES
        assert macs(activity)[f"{layer}.self_attn.in_proj_weight"] == 3 * STEPS * square
        assert macs(activity)[f"{layer}.self_attn.out_proj"] == STEPS * square
        assert macs(activity)[f"{layer}.linear1"] == STEPS * 16 * FEATURES
        assert activity.layers[f"{layer}.linear1"].act < 0.9, "its ReLU"
    assert activity.unprunable == 2 * 2 * STEPS * STEPS * FEATURES
    assert torch.backends.mha.get_fastpath_enabled()


RECURRENT = {
    "lstm": (nn.LSTM, 4, {}),
    "lstm of two layers, both ways": (nn.LSTM, 4, {"num_layers": 2, "bidirectional": True}),
    "lstm with a projection": (nn.LSTM, 4, {"proj_size": 3}),
    "lstm without biases": (nn.LSTM, 4, {"bias": False}),
    "gru": (nn.GRU, 3, {"num_layers": 2}),
    "rnn": (nn.RNN, 1, {"bidirectional": True}),
}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("kind", "gates", "options"), RECURRENT.values(), ids=RECURRENT)
def test_recurrent_nets_multiply_at_every_time_step(
    kind: type[nn.RNNBase], gates: int, options: dict[str, int], batch_first: bool
) -> None:
    net = kind(FEATURES, 6, batch_first=batch_first, **options)
    steps = STEPS if batch_first else IMAGES
    activity = measured(lambda net, x: net.read(x)[0].flatten(1), read=net)
    weights = {name: weight for name, weight in net.named_parameters() if "weight" in name}
    assert weights["weight_ih_l0"].numel() == gates * 6 * FEATURES
    sequences = IMAGES if batch_first else STEPS
    assert macs(activity) == {
        f"read.{name}": steps * weight.numel() * sequences / IMAGES
        for name, weight in weights.items()
    }
    assert activity.unprunable == 0
    assert activity.uncounted == ()


def test_sequences_of_different_lengths_count_the_steps_they_have() -> None:
    def forward(net: Reads, x: Tensor) -> Tensor:
        lengths = torch.tensor([5, 5, 4, 2, 2, 1])
        return net.read(pack_padded_sequence(x, lengths, batch_first=True))[1][0][0]

    lstm = nn.LSTM(FEATURES, 6)
    assert macs(measured(forward, read=lstm)) == {
        "read.weight_ih_l0": 19 * 24 * FEATURES / IMAGES,
        "read.weight_hh_l0": 19 * 24 * 6 / IMAGES,
    }


@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "num_layers": 2}, {"bias": False}])
def test_an_lstm_in_one_kernel_has_the_activity_of_its_separate_products(
    options: dict[str, bool],
) -> None:
    torch.manual_seed(2)
    net = nn.LSTM(FEATURES, 6, batch_first=True, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        net.weight_ih_l0[:7] = 0
        net.weight_hh_l0[:9] = 0
    whole = measured(lambda net, x: net.read(x)[0][:, -1], read=net)
    with torch.backends.mkldnn.flags(enabled=False):
        apart = measured(lambda net, x: net.read(x)[0][:, -1], read=net)
    assert whole == apart
    first = whole.layers["read.weight_hh_l0"]
    assert first.input == pytest.approx((STEPS - 1) / STEPS), "the first hidden state is zero"


def test_the_relu_of_a_recurrent_net_belongs_to_every_time_step() -> None:
    torch.manual_seed(0)
    net = nn.RNN(FEATURES, 6, nonlinearity="relu", batch_first=True)
    kept: list[Tensor] = []

    def forward(parts: Reads, x: Tensor) -> Tensor:
        hidden: Tensor = parts.read(x)[0]
        kept.append(hidden)
        return hidden[:, -1]

    activity = measured(forward, read=net)
    share = float((kept[0] != 0).double().mean())
    assert 0.2 < share < 0.8
    for layer in activity.layers.values():
        assert (layer.units, layer.act) == (STEPS * 6, pytest.approx(share))


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTMCell, 4), (nn.GRUCell, 3), (nn.RNNCell, 1)])
def test_a_recurrent_cell_counts_once_a_call(kind: type[nn.RNNCellBase], gates: int) -> None:
    def forward(net: Reads, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = net.cell(step, state)
        return state[0] if isinstance(state, tuple) else state  # type: ignore[return-value]

    activity = measured(forward, cell=kind(FEATURES, 6))
    calls = {"cell.weight_ih": STEPS * gates * 6 * FEATURES}
    # Without a state the cell makes one of zeros and multiplies by it.
    assert macs(activity) == calls | {"cell.weight_hh": STEPS * gates * 6 * 6}


FUNCTIONS: dict[str, Callable[[Reads, Tensor], Tensor]] = {
    "linear": lambda net, x: F.linear(x, net.one.weight, net.one.bias),
    "matmul": lambda net, x: x @ net.one.weight.T + net.one.bias,
    "einsum": lambda net, x: torch.einsum("nti,oi->nto", x, net.one.weight),
    "times a mask": lambda net, x: F.linear(x, net.one.weight * (net.one.weight > 0)),
    "standardized": lambda net, x: F.linear(x, net.one.weight / net.one.weight.std()),
    "halves": lambda net, x: torch.cat([F.linear(x, half) for half in net.one.weight.chunk(2)], 2),
    "as a convolution": lambda net, x: F.conv1d(x.transpose(1, 2), net.one.weight[:, :, None]),
    "in inference mode": lambda net, x: torch.inference_mode()(net.one)(x),
    "from the other side": lambda net, x: net.one.weight @ x.transpose(1, 2),
}


@pytest.mark.parametrize("forward", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_that_multiplies_by_a_layers_weight_is_a_call_of_the_layer(
    forward: Callable[[Reads, Tensor], Tensor],
) -> None:
    activity = measured(lambda net, x: forward(net, x).mean((1, 2)), one=nn.Linear(FEATURES, 4))
    assert macs(activity) == {"one": STEPS * 4 * FEATURES}
    assert activity.layers["one"].units == STEPS * 4
    assert (activity.unprunable, activity.uncounted) == (0, ())


def test_weights_joined_in_one_product_share_its_count() -> None:
    activity = measured(
        lambda net, x: F.linear(x, torch.cat([net.one.weight, net.two.weight])).mean(1),
        one=nn.Linear(FEATURES, 4),
        two=nn.Linear(FEATURES, 12),
    )
    assert macs(activity) == {"one": STEPS * 4 * FEATURES, "two": STEPS * 12 * FEATURES}


def test_a_bias_added_apart_belongs_to_the_output() -> None:
    linear = nn.Linear(FEATURES, 4)
    nn.init.zeros_(linear.weight)
    nn.init.ones_(linear.bias)
    activity = measured(lambda net, x: net.one(x[:, :, None].transpose(1, 2)).mean(2), one=linear)
    assert activity.layers["one"].act == 1


def test_products_without_a_prunable_weight_are_counted_as_such() -> None:
    activity = measured(
        lambda net, x: net.head((x @ x.mT) @ net.fixed(x)).mean(1),
        fixed=nn.utils.parametrizations.weight_norm(nn.Linear(FEATURES, 4)),
        head=nn.Linear(4, 2),
    )
    assert macs(activity) == {"head": STEPS * 4 * 2}
    similarities, fixed = STEPS * STEPS * FEATURES, STEPS * FEATURES * 4
    assert activity.unprunable == similarities + fixed + STEPS * STEPS * 4


def test_what_cannot_be_counted_is_named() -> None:
    activity = measured(
        lambda net, x: net.head(torch.cdist(x, net.codes.weight[None])).mean(1),
        codes=nn.Embedding(3, FEATURES),
        head=nn.Linear(3, 2),
    )
    assert activity.uncounted == ("codes (aten._cdist_forward)",)


def test_an_embedding_that_is_added_whole_multiplies_nothing() -> None:
    activity = measured(
        lambda net, x: net.head(x + net.place.weight).mean(1),
        place=nn.Embedding(STEPS, FEATURES),
        head=nn.Linear(FEATURES, 2),
    )
    assert macs(activity) == {"head": STEPS * FEATURES * 2}
    assert activity.uncounted == ()
