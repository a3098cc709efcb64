"""The rows of the layer table: groups by module, folding, filters and the selected row."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.nets.layers import Layer
from tui.state.layer_list import MAX_UNFOLDED, ListedLayers
from tui.state.layer_rows import MAX_UNGROUPED, groups_of, matches


def layers_of(names: tuple[str, ...]) -> tuple[Layer, ...]:
    kinds = ("convolution", "depthwise convolution", "linear")
    return tuple(
        Layer(name, (3, 3), 9, 12, kind=kinds[at % len(kinds)]) for at, name in enumerate(names)
    )


def walk(tree: list[object], before: str = "") -> list[str]:
    """The names of a tree's leaves, in the order of a walk through it."""
    found = []
    for at, node in enumerate(tree):
        name = f"{before}{'abcdefghijkl'[at]}"
        found += [name] if node is None else walk(node, f"{name}.")
    return found


trees = st.recursive(
    st.lists(st.none(), min_size=1, max_size=12),
    lambda inner: st.lists(st.one_of(st.none(), inner), min_size=1, max_size=6),
    max_leaves=60,
).map(lambda tree: tuple(walk(tree)))

moves = st.lists(
    st.one_of(
        st.tuples(st.just("choose"), st.integers(-2, 80)),
        st.tuples(
            st.just("with_filter"), st.sampled_from(["", "a", "b.c", "conv", "linear", "zzz"])
        ),
        st.tuples(st.sampled_from(["fold", "fold_all", "toggle_kind_filter"]), st.none()),
    ),
    max_size=12,
)


def play(listing: ListedLayers, steps: list[tuple[str, object]]) -> ListedLayers:
    for name, value in steps:
        step = getattr(listing, name)
        listing = step() if value is None else step(value)
    return listing


@given(trees)
def test_every_layer_has_a_row_and_every_group_holds_what_lies_below_its_module(names):
    groups = groups_of(names)
    listing = ListedLayers(layers_of(names))
    own = [row for row in listing.rows if not row.group]
    assert [row.layers for row in own] == [(at,) for at in range(len(names))]
    assert [row for row in listing.rows if row.group] == list(groups)
    for group in groups:
        inside = [at for at, name in enumerate(names) if f"{name}.".startswith(f"{group.group}.")]
        assert list(group.layers) == inside
        assert 1 < len(inside) < len(names)
    for one, other in product(groups, groups):
        mine, others = set(one.layers), set(other.layers)
        assert not mine & others or mine <= others or others <= mine
        assert one is other or mine != others
    for row in listing.rows:
        holding = [g for g in groups if set(row.layers) <= set(g.layers) and g is not row]
        assert row.depth == len(holding)
    if len(names) <= MAX_UNGROUPED:
        assert groups == ()


@given(trees)
def test_a_name_below_a_heading_is_relative_to_it(names):
    listing = ListedLayers(layers_of(names))
    for row in listing.rows:
        above = [g.group for g in listing.groups if set(row.layers) <= set(g.layers) and g != row]
        assert row.inside == (above[-1] if above else "")
        name = row.group or names[row.layers[0]]
        whole = f"{row.inside}.{row.relative(name)}" if row.inside else row.relative(name)
        assert whole == name
    assert {row.inside for row in listing.with_filter("a").rows} <= {""}


@given(trees, moves)
def test_any_keys_leave_a_visible_row_selected_and_every_layer_listed(names, steps):
    listing = play(ListedLayers.of(layers_of(names)), steps)
    rows = listing.rows
    if listing.filter:
        found = [at for at, layer in enumerate(listing.layers) if matches(layer, listing.filter)]
        assert list(listing.listed) == found
        assert [row.layers for row in rows[1:]] == [(at,) for at in found]
        assert bool(rows) == bool(found)
        assert not rows or rows[0].layers == tuple(found)
    else:
        hidden = {
            at for row in rows if row.group in listing.folded for at in row.layers if row.group
        }
        seen = {row.layers[0] for row in rows if not row.group}
        assert seen | hidden == set(range(len(names)))
        assert not seen & hidden
        assert listing.listed == tuple(range(len(names)))
    assert not rows or listing.chosen in listing.row.layers
    assert listing.choose(listing.at) == listing
    everything = listing.with_filter("")
    if everything.folded:
        everything = everything.fold_all()
    everything = everything.fold_all() if everything.folded else everything
    assert len(everything.rows) == len(names) + len(everything.groups)


@given(trees, st.integers(0, 80))
def test_folding_and_unfolding_comes_back_to_the_group(names, place):
    listing = ListedLayers(layers_of(names)).choose(place)
    folded = listing.fold()
    if folded == listing:
        assert listing.row.depth == 0
        assert not listing.row.group
        return
    assert folded.row.group
    assert set(listing.row.layers) <= set(folded.row.layers)
    assert folded.fold().rows == listing.rows


def resnet(blocks: tuple[int, ...], convolutions: int) -> tuple[str, ...]:
    """The layer names of torchvision's ResNets."""
    names = ["conv1"]
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            names += [f"layer{stage}.{block}.conv{at + 1}" for at in range(convolutions)]
            if block == 0 and (stage > 1 or convolutions == 3):
                names.append(f"layer{stage}.0.downsample.0")
    return (*names, "fc")


VGG16 = (*(f"features.{at}" for at in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),
         *(f"classifier.{at}" for at in (0, 3, 6)))  # fmt: skip
TRANSFORMER = (
    "patch",
    *(
        f"encoder.layers.{at}.{name}"
        for at in range(12)
        for name in ("self_attn.in_proj_weight", "self_attn.out_proj", "linear1", "linear2")
    ),
    "head",
)


@pytest.mark.parametrize(
    ("names", "outer", "inner"),
    [
        (resnet((2, 2, 2, 2), 2), {"layer1": 4, "layer2": 5, "layer3": 5, "layer4": 5}, 0),
        (resnet((3, 4, 6, 3), 3), {"layer1": 10, "layer2": 13, "layer3": 19, "layer4": 10}, 16),
        (VGG16, {"features": 13, "classifier": 3}, 0),
        (TRANSFORMER, {"encoder.layers": 48}, 12),
        (tuple(f"net.{name}" for name in VGG16), {"net.features": 13, "net.classifier": 3}, 0),
        (("conv1", "conv2", "conv3", "fc1", "fc2"), {}, 0),
        (tuple(f"features.{at}.conv" for at in range(500)), {}, 0),
    ],
    ids=["resnet18", "resnet50", "vgg16", "transformer", "wrapped", "cnn5", "flat"],
)
def test_known_nets_are_grouped_by_their_modules(names, outer, inner):
    groups = groups_of(names)
    assert {row.group: len(row.layers) for row in groups if row.depth == 0} == outer
    assert sum(row.depth > 0 for row in groups) == inner
    listing = ListedLayers.of(layers_of(names))
    if outer and len(names) > MAX_UNFOLDED:
        assert len(listing.rows) == len(names) - sum(outer.values()) + len(outer)
    else:
        assert not listing.folded


def test_layers_are_found_by_kind_shape_and_name():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(4, 8, 3), torch.nn.Conv2d(8, 8, (3, 13), groups=8),
        torch.nn.ConvTranspose2d(8, 4, 2), torch.nn.Linear(4, 13), torch.nn.Embedding(3, 3),
    )  # fmt: skip
    from core.nets.layers import prunable_layers

    layers = prunable_layers(net)

    def found(text: str) -> str:
        return "".join(layer.name for layer in layers if matches(layer, text))

    assert found("") == found("  ") == "01234"
    assert found("conv") == found("CONVOLUTION") == "012"
    assert found("depthwise") == found("conv depth") == "1"
    assert (found("transposed"), found("lin"), found("emb")) == ("2", "3", "4")
    assert found("3x3") == found("3×3") == "04"
    assert (found("3x13"), found("3x1")) == ("1", ""), "numbers are whole"
    assert found("3x") == "014"
    assert found("x3") == found("bilinear") == found("line ar") == ""
    assert found("3") == "3", "a number alone is of a name"


def test_the_kind_filter_lists_layers_of_a_kind_and_toggles_off():
    listing = ListedLayers(layers_of(("a", "b", "c", "d"))).choose(3)
    kind = listing.toggle_kind_filter()
    assert (kind.filter, kind.row.layers, kind.chosen) == ("*convolution", (0, 1, 3), 3)
    assert kind.toggle_kind_filter() == listing
    assert kind.choose(2).toggle_kind_filter().filter == "*depthwise convolution"
    nothing = ListedLayers()
    assert nothing.toggle_kind_filter() == nothing.fold() == nothing.fold_all() == nothing


def test_the_kind_filter_does_not_match_names():
    kinds = {
        "embedding": "embedding",
        "patch_embedding.proj": "convolution",
        "linear_conv.dw": "recurrent",
        "head": "linear",
    }
    layers = tuple(Layer(name, (3, 3), 9, 12, kind=kind) for name, kind in kinds.items())
    for index, layer in enumerate(layers):
        listing = ListedLayers(layers).choose(index).toggle_kind_filter()
        assert listing.listed == (index,)
        assert listing.row.layers == (index,)
        assert layer.kind in listing.filter
        assert listing.toggle_kind_filter().listed == (0, 1, 2, 3)
