"""Which layers a name, a group or a pattern stands for, and the plan that several of them give."""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from itertools import accumulate

from core.errors import InputError, expected_one_of, shortened

_WILDCARDS = frozenset("*?[")
_WITHOUT_WILDCARDS = dict.fromkeys(map(ord, "*?[]"))


class SelectionError(InputError):
    """A name stands for no layer, or contradicts another name.

    Attributes:
        name: the name, as given.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def layers_named(name: str, layers: Collection[str]) -> tuple[str, ...]:
    """The layers that a name stands for.

    A layer's name stands for that layer; the path of a module for the layers inside it; a pattern
    (`*`: any text, `?`: any character, `[ab]`: one of these) for the layers whose names it matches.

    Raises SelectionError, with the closest names, if there are none.

    Examples:
        >>> layers = ("conv1", "layer3.0.conv1", "layer3.0.conv2", "layer3.1.conv1")
        >>> layers_named("layer3.0", layers)
        ('layer3.0.conv1', 'layer3.0.conv2')
        >>> layers_named("layer3.*.conv1", layers)
        ('layer3.0.conv1', 'layer3.1.conv1')
    """
    if name in layers:
        return (name,)
    found = tuple(layer for layer in layers if layer.startswith(f"{name}."))
    is_pattern = not _WILDCARDS.isdisjoint(name)
    if not found and is_pattern:
        found = tuple(layer for layer in layers if fnmatchcase(layer, name))
    if not found:
        what = "no layer matches" if is_pattern else "unknown layer"
        expected = expected_one_of(
            name.translate(_WITHOUT_WILDCARDS).strip("."), layers, _modules(layers)
        )
        raise SelectionError(name, f"{what} '{shortened(name)}': {expected}")
    return found


def spread(sparsities: Mapping[str, float], layers: Collection[str]) -> dict[str, float]:
    """The sparsity of each layer that a name of `sparsities` stands for, in the order of `layers`.

    If several names stand for a layer, its own name wins over the others, and of these the one that
    stands for the fewest layers.

    Raises SelectionError if a name stands for no layer, or two that would win differ in sparsity.

    Examples:
        >>> spread({"a.1": 0.5, "a": 0.9}, ("a.0", "a.1", "b"))
        {'a.0': 0.9, 'a.1': 0.5}
    """
    known = dict.fromkeys(layers)  # fast to look up, and in order
    named = {name: layers_named(name, known) for name in sparsities}

    def breadth(name: str) -> tuple[int, bool]:
        return len(named[name]), name != named[name][0]

    winners: dict[str, str] = {}
    for name in sorted(named, key=breadth):
        for layer in named[name]:
            first = winners.setdefault(layer, name)
            if breadth(first) == breadth(name) and sparsities[first] != sparsities[name]:
                both = f"'{shortened(first)}' and '{shortened(name)}'"
                why = f"{both} give {layer} different sparsities: keep one, or name {layer} itself"
                raise SelectionError(name, why)
    return {layer: sparsities[winners[layer]] for layer in known if layer in winners}


def _modules(layers: Collection[str]) -> tuple[str, ...]:
    """The paths of the modules around the layers."""
    paths = (accumulate(layer.split(".")[:-1], "{}.{}".format) for layer in layers)
    return tuple(dict.fromkeys(path for each in paths for path in each))
