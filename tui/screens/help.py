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
sparsity    zeros over elements of a layer's weight
threshold   the k-th smallest magnitude, k = sparsity x elements;
            what is strictly above it is kept
kept        in the table weights alone; in the totals biases too,
            which are never pruned
size        {COUNTED}
files       what a net takes in bytes: its values only, with the paper's 5 or
            8 bits for each position, and in real files; e writes one, with
            its weights exact or sharing few values, and measures it anew
plan        the sparsities you choose, for p and f
base        what the plan is applied to: dense, or adopted by a
floor       the sparsity that the base has already
±           from a sample: where the accuracy of all images is, with 95 %
about N?    foretold from the scan, not measured
scan        accuracy with one layer pruned alone; + and - move the line
goal        60x, 6000 kept, 28 KiB, or 0.5 points: search by fine-tuning
▪           a locked layer: goals, presets and = leave it alone; ▫ some of a group
▸ ▾         a group by module: its row has the sums, and keys on it act on all
            its layers that are not locked, in one step for u; │ beside them
/           layers found; the row above them acts on all of them, = gives to
            all of them; goals and presets are always for the whole net
validation  5,000 images that every choice looks at
test        10,000 others, only reported
speed       ms for a batch, the median of runs by turns: engines that run every
            weight in float32, and sparse: layers by their nonzeros where that
            is faster here, the same logits
revived     pruned weights that are not exactly zero; always 0
dead        units with no input or no output left; without them the
            net is the same, and lighter still: told after p and f

The mouse works too: click a layer, a group or a bar, turn the wheel.
ctrl+p opens a palette with everything by name."""


class HelpScreen(Dialog[None]):
    """Every key, and what the numbers mean."""

    BINDINGS = [Binding("escape,question_mark,f1,q", "leave", "close")]

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(classes="dialog dialog--wide"):
            yield Static(help_text(), markup=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


def help_text() -> str:
    """The keys by group, then the words."""
    parts = []
    width = max(len(key.shown) for key in KEYS)
    for group, keys in groupby(KEYS, lambda key: key.group):
        rows = "\n".join(f"  {key.shown:<{width}}  {key.tooltip}" for key in keys)
        parts.append(f"{group}\n{rows}")
    meanings = "\n".join(f"  {line}" for line in MEANINGS.splitlines())
    return "\n\n".join([*parts, f"What the numbers mean\n{meanings}", "escape closes this"])
