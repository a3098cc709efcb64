"""Names meet whatever prefix and wrappers training put before them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from core.formats.name_matching import matches

PARTS = st.sampled_from(["fc", "conv1", "layers", "0", "1", "norm", "body", "module"])
LEAVES = st.sampled_from(["weight", "bias", "running_mean"])
NAMES = st.builds(lambda parts, leaf: ".".join([*parts, leaf]), st.lists(PARTS, max_size=3), LEAVES)
PREFIXES = st.lists(
    st.sampled_from(["state_dict", "module", "_orig_mod", "model", "net", "ema"]), max_size=4
).map(lambda parts: "".join(f"{part}." for part in parts))


@st.composite
def shapes(draw: st.DrawFn) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a net, all shapes different."""
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    return {name: (7, index) for index, name in enumerate(names)}


@settings(max_examples=50)
@given(shapes(), PREFIXES)
def test_a_prefix_of_all_names_is_found(net: dict[str, tuple[int, ...]], prefix: str) -> None:
    stored = {prefix + name: shape for name, shape in net.items()}
    match = matches(stored, net)[0]
    assert match.names == {name: prefix + name for name in net}
    assert match.fitting == len(net)


@settings(max_examples=50)
@given(shapes(), PREFIXES, PREFIXES)
def test_a_prefix_may_be_replaced_by_the_nets_own(
    inner: dict[str, tuple[int, ...]], prefix: str, own: str
) -> None:
    net = {own + name: shape for name, shape in inner.items()}
    stored = {prefix + name: shape for name, shape in inner.items()}
    match = matches(stored, net)[0]
    assert match.fitting == len(net)
    assert match.names == {own + name: prefix + name for name in inner}


@settings(max_examples=50)
@given(shapes(), st.integers(0, 7))
def test_a_wrapped_module_inside_is_found(net: dict[str, tuple[int, ...]], which: int) -> None:
    wrapped = [*net][which % len(net)]
    path, dot, leaf = wrapped.rpartition(".")
    stored = {**net, f"{path}{dot}_orig_mod.{leaf}": net[wrapped]}
    del stored[wrapped]
    assert matches(stored, net)[0].fitting == len(net)


@settings(max_examples=50)
@given(shapes())
def test_the_copy_of_an_average_comes_after_the_net(net: dict[str, tuple[int, ...]]) -> None:
    stored = {f"{key}.{name}": shape for key in ("ema", "net") for name, shape in net.items()}
    first, second, *_ = matches(stored, net)
    assert (first.prefix, second.prefix) == ("net.", "ema.")
    assert (first.key, second.key) == ("'net'", "'ema'")


@settings(max_examples=50)
@given(shapes(), shapes())
def test_a_file_with_little_or_nothing_of_a_net_has_a_match_too(
    net: dict[str, tuple[int, ...]], stored: dict[str, tuple[int, ...]]
) -> None:
    for of in (stored, {}):
        match = matches(of, net)[0]
        assert 0 <= match.fitting <= len(match.names) <= len(net)
        assert {*match.names.values()} <= of.keys()
