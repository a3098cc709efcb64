"""Every key, and what the numbers mean."""

from collections.abc import Sequence
from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.nets.footprint import SIZE_NOTE
from tui.keys.keys import KEYS, Key
from tui.screens.overlay import Dialog
from tui.state.state import State
from tui.text.format import count

MEANINGS = f"""\
sparsity    fraction of zeros in a layer's weight
threshold   k-th smallest magnitude, k = sparsity x elements; weights
            strictly above it are kept
kept        weights in the table; weights and biases in the totals
            (biases are never pruned)
size        {SIZE_NOTE}
files       bytes of the net: values only, with the paper's 5 or 8 bits per
            position, and as real files; e writes one, exact or with few
            shared values per layer, reads it back and measures it
plan        the sparsities you set; p and f apply them to the base
base        the net you prune: the dense net, or the one adopted with a
floor       sparsity the base already has
±           estimate from a sample, with its 95 % confidence interval
about N?    forecast from the scan, not measured
scan        accuracy with each layer pruned alone; + and - move the tolerance
goal        60x, 6000 kept, 28 KiB, or 0.5 points: search by fine-tuning
▪           locked: excluded from goals, presets and =; ▫ part of a group is
▸ ▾         a group of layers: its row shows the totals, and keys on it act on
            all its unlocked layers (marked │) in one undo step
/           layers found: the row above them acts on all of them, and so does
            =; goals and presets always apply to the whole net
validation  {{validation}}
test        {{test}}
speed       median ms per batch, float32, engines taking turns; dense engines
            compute every weight, sparse only the nonzeros where that is
            faster on this machine, with the same logits
revived     pruned weights that are not exactly zero; always 0
dead        units without inputs or outputs; removing them makes the net
            smaller and changes no logit; counted after p and f

The mouse works too: click a layer, a group or a bar, or turn the wheel.
ctrl+p opens a palette with every action by name."""


class HelpScreen(Dialog[None]):
    """A text about keys that scrolls."""

    BINDINGS = [Binding("question_mark,f1,q", "leave", "close")]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        with VerticalScroll(classes="dialog dialog--wide"):
            yield Static(self._text, markup=False)


def help_text(state: State) -> str:
    """The keys by group, then what the numbers mean for the net and data in `state`."""
    validation, test = _splits(state)
    meanings = MEANINGS.format(validation=validation, test=test)
    return keys_and_meanings(KEYS, "What the numbers mean", meanings)


def keys_and_meanings(keys: Sequence[Key], heading: str, meanings: str) -> str:
    """The keys by group, then a glossary under its heading."""
    width = max(len(key.shown) for key in keys)
    parts = [
        "\n".join([group, *(f"  {key.shown:<{width}}  {key.tooltip}" for key in of_group)])
        for group, of_group in groupby(keys, lambda key: key.group)
    ]
    glossary = "\n".join([heading, *(f"  {line}" for line in meanings.splitlines())])
    return "\n\n".join([*parts, glossary, "escape closes this"])


def _splits(state: State) -> tuple[str, str]:
    """What validation and test are, with their sizes once the data is loaded."""
    sizes = state.base.split_sizes if state.base else None
    validation, test = [f"{count(size)} images" for size in sizes] if sizes else 2 * ["images"]
    if state.settings.protocol == "reference":
        return "the test images: the reference protocol chooses on them", test
    return f"{validation} that every choice is made on", f"{test} only reported, never chosen on"
