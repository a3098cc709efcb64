"""Every key, and what the numbers mean."""

from collections.abc import Sequence
from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.nets.footprint import SIZE_NOTE
from tui.keys.main_keys import KEYS, Key
from tui.screens.overlay import Dialog
from tui.state.state import State
from tui.text.format import count

MEANINGS = f"""\
sparsity    fraction of zeros in a layer's weights
threshold   the k-th smallest magnitude of a layer's weights, with
            k = sparsity x weights; those above it are kept
kept        of the weights, in the table; of weights and biases, in
            the result (biases are never pruned)
size        {SIZE_NOTE}
files       bytes of the net: values only, with the paper's index,
            and as files; e writes a file, lossless or quantized,
            reads it back and measures its accuracy
plan        the sparsities you set; p and f apply them to the base
base        the net you prune: the dense net, or one you adopted (a)
floor       sparsity the base already has
±           estimate from a sample, 95 % confidence interval
about N?    forecast from the scan, not measured
scan        accuracy with each layer pruned alone; + and - move
            the tolerance
goal        60x, 6000 kept, 28 KiB or 0.5 points (starts a search)
▪ ▫         locked (▫ in part): excluded from goals, presets and =
▸ ▾         folded or open group: its row shows totals; keys on it
            act on its unlocked layers (marked │) in one undo step
/           find layers; = and keys on the heading act on all matches,
            goals and presets still on the whole net
validation  {{validation}}
test        {{test}}
speed       median ms per batch in float32; the engines take turns;
            dense engines use every weight; sparse skips zeros in
            layers where that is faster; all give the same logits
revived     pruned weights that are not exactly zero; always 0
dead        units without inputs or outputs; removing them shrinks
            the net but changes no logits; counted after p and f

The mouse works too: click a layer, a group or a bar, or scroll.
Ctrl+P opens a palette of all actions, Ctrl+Z returns to the shell
until fg."""


class HelpScreen(Dialog[None]):
    """A help text that scrolls."""

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
    return "\n\n".join([*parts, glossary, "Esc closes this help"])


def _splits(state: State) -> tuple[str, str]:
    """What the validation and test splits are, with their sizes once the data is loaded."""
    sizes = state.base.split_sizes if state.base else None
    validation, test = [f"{count(size)} images" for size in sizes] if sizes else 2 * ["images"]
    if state.settings.protocol == "reference":
        return "the test images (reference protocol)", test
    return (f"{validation} used for all choices", f"{test} used only for reporting")
