"""Files from state_dicts and back; the zoo's layouts; tensors a file cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import InputError
from core.formats.codec import (
    Codebook,
    CompactFile,
    Entry,
    Raw,
    Steps,
    Tied,
    decode,
    encode,
    from_state,
    inspect,
    raw,
    to_state,
)
from core.formats.codec.zoo_shapes import LAYOUTS
from core.nets.layers import Layer
from core.nets.weights import Weights
from core.nets.zoo import ZOO
from core.pruning.masks import Masks
from core.pruning.plans import Plan


def bits(tensor: Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def test_layouts_match_the_zoo() -> None:
    assert {layout.model for layout in LAYOUTS} == set(ZOO)
    with torch.device("meta"):
        for layout in LAYOUTS:
            state = ZOO[layout.model].build().state_dict()
            assert layout.shapes == tuple(
                (name, tuple(tensor.shape)) for name, tensor in state.items()
            )


def test_a_pruned_net_survives_a_round_trip(
    dense: Weights, layers: tuple[Layer, ...], aggressive: Plan
) -> None:
    pruned = Masks.of(dense, layers, aggressive).apply(dense)
    facts = {"dataset": "mnist", "image_size": 28, "channels": 1, "mean": [0.1307]}
    data = encode(from_state(pruned, "cnn5", facts))
    file = decode(data)
    back = to_state(file)
    assert (file.model, file.facts) == ("cnn5", facts)
    assert list(back) == list(pruned)
    assert all(bits(back[name]) == bits(tensor) for name, tensor in pruned.items())
    inspection = inspect(data)
    assert inspection.parts["header"] + inspection.parts["checksum"] <= 24
    assert [layer.name for layer in inspection.layers] == [layer.key for layer in layers]
    assert [layer.nonzero for layer in inspection.layers] == [
        int((pruned[layer.key] != 0).sum()) for layer in layers
    ]
    rest = inspection.parts["header"] + inspection.parts["biases"] + inspection.parts["checksum"]
    assert abs(sum(layer.bytes for layer in inspection.layers) + rest - len(data)) <= 5


def test_every_type_survives_a_round_trip() -> None:
    odd = torch.tensor([0.0, -0.0, float("nan"), float("inf"), -1e-40, 1.5, 3e38])
    state = {
        "float32": odd,
        "float16": odd.half(),
        "bfloat16": odd.bfloat16(),
        "float64": odd.double(),
        "int64": torch.tensor([0, 1, -1, 2**63 - 1, -(2**63)]),
        "bool": torch.tensor([[True, False]]),
        "count": torch.tensor(17),
        "empty": torch.zeros(3, 0),
    }
    back = to_state(decode(encode(from_state(state))))
    for name, tensor in state.items():
        assert back[name].dtype == tensor.dtype
        assert back[name].shape == tensor.shape
        assert bits(back[name]) == bits(tensor)


def test_tied_weights_are_stored_once() -> None:
    class Tying(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(50, 20)
            self.head = nn.Linear(20, 50, bias=False)
            self.head.weight = self.embedding.weight

    state = Tying().state_dict()
    file = from_state(state)
    data = encode(file)
    assert isinstance(file.entries[1].values, Tied)
    assert len(data) < 50 * 20 * 4
    back = to_state(decode(data))
    assert torch.equal(back["head.weight"], state["head.weight"])
    assert back["head.weight"].data_ptr() == back["embedding.weight"].data_ptr()


def test_keep_chooses_how_a_tensor_is_stored() -> None:
    state = {"weight": torch.tensor([[0.5, 0.0], [-1.0, 0.5]]), "bias": torch.tensor([0.25, -0.5])}

    def keep(name: str, tensor: Tensor) -> Codebook | Steps:
        if name == "bias":
            return Steps(0.25, (tensor / 0.25).int().numpy())
        codes = torch.tensor([[2, 0], [1, 2]], dtype=torch.int16).numpy()
        return Codebook("bfloat16", np.array([-1.0, 0.5], np.float32), codes)

    back = to_state(decode(encode(from_state(state, keep=keep))))
    assert all(torch.equal(back[name], tensor) for name, tensor in state.items())


def test_an_unsupported_type_is_refused() -> None:
    with pytest.raises(InputError, match="not complex64"):
        raw(torch.zeros(2, dtype=torch.complex64))


WORDS = np.zeros((2, 2), np.uint32)
CODES = np.ones((2, 2), np.int16)


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([Entry("w", (4,), Raw("float32", WORDS))], "expected uint32 \\(4,\\)"),
        ([Entry("w", (2, 2), Raw("float16", WORDS))], "expected uint16"),
        ([Entry("w", (2, 2), Raw("complex64", WORDS))], "its type is complex64"),
        ([Entry("w\n", (2, 2), Raw("float32", WORDS))], "line break"),
        ([Entry("w", (2, 2), Raw("float32", WORDS))] * 2, "used twice"),
        ([Entry("w", (1,) * 9, Raw("float32", WORDS[:1, :1]))], "at most 8 dimensions"),
        ([Entry("w", (2, 2), Tied("v"))], "tied"),
        ([Entry("w", (2, 2), Steps(0.0, CODES.astype(np.int32)))], "its step is 0.0"),
        ([Entry("w", (2, 2), Steps(0.1, CODES.astype(np.int32)))], "its step is 0.1"),
        ([Entry("w", (2, 2), Steps(1.0, CODES.astype(np.int32) << 25))], "codes range from"),
        ([Entry("w", (2, 2), Codebook("float32", np.ones(0, np.float32), CODES))], "1 to 256"),
        (
            [Entry("w", (2, 2), Codebook("float32", np.array([1, 1], np.float32), CODES))],
            "ascending",
        ),
        (
            [Entry("w", (2, 2), Codebook("bfloat16", np.array([0.1], np.float32), CODES))],
            "not exact in bfloat16",
        ),
        (
            [Entry("w", (2, 2), Codebook("float32", np.array([1], np.float32), CODES + CODES))],
            "codes range from 2 to 2, expected 0 to 1",
        ),
    ],
)
def test_inconsistent_entries_are_refused(entries: list[Entry], why: str) -> None:
    with pytest.raises(InputError, match=why):
        encode(CompactFile("", tuple(entries)))


def test_facts_must_be_plain_json_of_limited_size() -> None:
    with pytest.raises(InputError, match="plain JSON"):
        encode(CompactFile("", (), {"when": object()}))
    with pytest.raises(InputError, match="plain JSON"):
        encode(CompactFile("", (), {"loss": float("nan")}))
    with pytest.raises(InputError, match="at most 4096"):
        encode(CompactFile("", (), {"long": "x" * 5000}))
    with pytest.raises(InputError, match="cnn6"):
        encode(CompactFile("cnn6", ()))
