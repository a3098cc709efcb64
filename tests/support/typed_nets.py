"""Nets of unusual number types and values, and nets that hold torch's masks, as people bring them.

Each takes images [N, 1, 28, 28] and returns ten logits; `featherweight --model` can name each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune


class Plain(nn.Module):
    """What others start from."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4)
        self.fc1, self.fc2 = nn.Linear(4 * 36, 16), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x)).relu().flatten(1)
        return self.fc2(self.fc1(x).relu())


class InfiniteMask(nn.Module):
    """Causal attention over rows: masks of -inf and of the least float, and an unused NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.inp, self.qkv, self.out = nn.Linear(28, 12), nn.Linear(12, 36), nn.Linear(12, 10)
        self.register_buffer("causal", torch.full((28, 28), float("-inf")).triu(1))
        self.register_buffer("near", torch.full((28, 28), torch.finfo().min).tril(-9))
        self.register_buffer("unknown", torch.tensor(float("nan")))
        self.frozen = nn.Parameter(torch.full((28,), float("-inf")), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inp(x.squeeze(1))
        q, k, v = self.qkv(x).chunk(3, -1)
        a = (q @ k.transpose(1, 2) / 12**0.5 + self.causal + self.near).softmax(-1)
        return self.out((x + a @ v)[:, -1])


class PrunesItself(Plain):
    """Holds masks of torch.nn.utils.prune when it is built."""

    def __init__(self) -> None:
        super().__init__()
        prune.l1_unstructured(self.fc1, "weight", 0.3)
        prune.l1_unstructured(self.fc1, "weight", 0.3)
        prune.random_unstructured(self.fc2, "bias", 3)


class Casting(nn.Module):
    """In bfloat16, with a cast by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 12), nn.Linear(12, 10)
        self.to(torch.bfloat16)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x.flatten(1).bfloat16()).relu())


class Following(Casting):
    """In bfloat16; it casts to whatever its weights are."""

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x.flatten(1).to(self.fc1.weight.dtype)).relu())


class Fourier(nn.Module):
    """A complex weight before a real one."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Parameter(torch.ones(28, 15, dtype=torch.complex64))
        self.fc = nn.Linear(784, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.fft.irfft2(torch.fft.rfft2(x) * self.filter, (28, 28)).flatten(1))


class Tokens(nn.Module):
    """Attention and a recurrent layer over rows, two linears that share a weight, places."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(28, 28) / 9)
        self.attention = nn.MultiheadAttention(28, 4, batch_first=True)
        self.norm, self.mix, self.again = nn.LayerNorm(28), nn.Linear(28, 28), nn.Linear(28, 28)
        self.again.weight = self.mix.weight
        self.rows, self.head = nn.LSTM(28, 12, batch_first=True), nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, 0] + self.place
        x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
        x = self.again(self.mix(x).relu())
        return self.head(self.rows(x)[0][:, -1])


def half() -> nn.Module:
    return Plain().half()


def double() -> nn.Module:
    return Tokens().double()


def partly() -> nn.Module:
    """As large nets are: linear layers in bfloat16, norms in float32."""
    net = Plain()
    net.fc1.bfloat16()
    net.fc2.bfloat16()
    return net


def quantized() -> nn.Module:
    """Linears that are quantized already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(
            Plain().eval(), {nn.Linear}, dtype=torch.qint8
        )


def computed() -> nn.Module:
    """Nothing but weights that are computed on every call."""
    normed = parametrizations.weight_norm(nn.Linear(784, 16))
    return nn.Sequential(
        nn.Flatten(), normed, nn.ReLU(), parametrizations.spectral_norm(nn.Linear(16, 10))
    )


MASKABLE: dict[str, Callable[[Tokens], tuple[nn.Module, str]]] = {
    "attention.in_proj_weight": lambda net: (net.attention, "in_proj_weight"),
    "attention.in_proj_bias": lambda net: (net.attention, "in_proj_bias"),
    "attention.out_proj.weight": lambda net: (net.attention.out_proj, "weight"),
    "norm.weight": lambda net: (net.norm, "weight"),
    "place": lambda net: (net, "place"),
    "rows.weight_hh_l0": lambda net: (net.rows, "weight_hh_l0"),
    "rows.bias_ih_l0": lambda net: (net.rows, "bias_ih_l0"),
    "head.weight": lambda net: (net.head, "weight"),
    "head.bias": lambda net: (net.head, "bias"),
}
"""Tensors of `Tokens`, with the module that holds each."""
