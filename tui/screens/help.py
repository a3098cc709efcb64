"""Every key, and what the numbers mean."""

from __future__ import annotations

from itertools import groupby

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.nets.footprint import COUNTED
from tui.keys.keys import KEYS
from tui.screens.dialog import Dialog

MEANINGS = f"""\
sparsity    fraction of zeros in a layer's weight
threshold   k-th smallest magnitude, k = sparsity x elements; weights
            strictly above it are kept
kept        weights in the table; weights and biases in the totals
            (biases are never pruned)
size        {COUNTED}
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
validation  5,000 images that every choice is made on
test        10,000 other images, only reported
speed       median ms per batch, float32, engines taking turns; dense engines
            compute every weight, sparse only the nonzeros where that is
            faster on this machine, with the same logits
revived     pruned weights that are not exactly zero; always 0
dead        units without inputs or outputs; removing them makes the net
            smaller and changes no logit; counted after p and f

The mouse works too: click a layer, a group or a bar, or turn the wheel.
ctrl+p opens a palette with every action by name."""


class HelpScreen(Dialog[None]):
    """Every key, and what the numbers mean."""

    BINDINGS = [Binding("escape,question_mark,f1,q", "leave", "close")]

    def compose(self) -> ComposeResult:
        """Lay out one scrolling text."""
        with VerticalScroll(classes="dialog dialog--wide"):
            yield Static(help_text(), markup=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def help_text() -> str:
    """The keys by group, then the glossary."""
    parts = []
    width = max(len(key.shown) for key in KEYS)
    for group, keys in groupby(KEYS, lambda key: key.group):
        rows = "\n".join(f"  {key.shown:<{width}}  {key.tooltip}" for key in keys)
        parts.append(f"{group}\n{rows}")
    meanings = "\n".join(f"  {line}" for line in MEANINGS.splitlines())
    return "\n\n".join([*parts, f"What the numbers mean\n{meanings}", "escape closes this"])
