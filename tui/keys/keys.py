"""Every key, its action and its label: the one source of bindings and help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or several with the same action.

    Attributes:
        keys: as Textual names them, separated by commas.
        shown: as a person reads them.
        action: what it does: a feature of the app, one of its methods and what that is given, as
            in `planning.nudge(-1)`, where `{key}` stands for the key that was pressed; or the
            action of a screen, as in `move(-1)`.
        label: in the footer and the help.
        tooltip: one sentence.
        group: the heading in the help.
        footer: how much it belongs at the bottom of the screen, where there may not be room for
            all; 0 where not at all.
    """

    keys: str
    shown: str
    action: str
    label: str
    tooltip: str
    group: str
    footer: int = 0

    @property
    def name(self) -> str:
        """The action without its parameters."""
        return self.action.partition("(")[0]

    @property
    def textual_action(self) -> str:
        """The action as Textual reads it: those of features go through the app's `action_key`."""
        if "." not in self.name:
            return self.action
        arguments = self.action[len(self.name) + 1 : -1]
        return f"key('{self.name}'{arguments and f', {arguments}'})"

    @property
    def width(self) -> int:
        """Width in the footer, in cells."""
        return len(self.shown) + len(self.label) + 2

    def bindings(self) -> list[Binding]:
        """The keys as Textual bindings."""
        return [
            Binding(
                key,
                self.textual_action.format(key=key),
                self.label,
                show=self.footer > 0 and place == 0,
                key_display=self.shown,
                tooltip=self.tooltip,
                id=f"{self.label.replace(' ', '-')}-{place}",
            )
            for place, key in enumerate(self.keys.split(","))
        ]


CHOOSE, WORK, LOOK = "Set sparsities", "Prune and fine-tune", "View"

KEYS = (
    Key("up,k", "↑ k", "planning.choose(-1)", "layer up", "Select the row above", CHOOSE),
    Key("down,j", "↓ j", "planning.choose(1)", "layer down", "Select the row below", CHOOSE),
    Key("left", "←", "planning.nudge(-1)", "1 % less", "Lower the sparsity by 1 %", CHOOSE),
    Key("right", "→", "planning.nudge(1)", "1 % more", "Raise the sparsity by 1 %", CHOOSE),
    Key("shift+left,left_square_bracket", "shift+← [", "planning.nudge(-5)", "5 % less",
        "Lower the sparsity by 5 %", CHOOSE),
    Key("shift+right,right_square_bracket", "shift+→ ]", "planning.nudge(5)", "5 % more",
        "Raise the sparsity by 5 %", CHOOSE),
    Key("0,1,2,3,4,5,6,7,8,9", "0-9", "planning.type_value('{key}')", "exact value",
        "Type the exact sparsity in percent", CHOOSE),
    Key("equals_sign", "=", "planning.spread", "to all layers",
        "Copy the selected sparsity to every listed layer", CHOOSE),
    Key("backspace", "backspace", "planning.reset", "reset",
        "Reset the layer to its floor, the base's sparsity", CHOOSE),
    Key("l", "l", "planning.lock", "lock",
        "Lock the layer: exclude it from bulk changes", CHOOSE),
    Key("asterisk", "*", "layer_list.of_kind", "same kind",
        "Select all layers of this kind, such as convolutions", CHOOSE),
    Key("slash", "/", "layer_list.find", "find layers",
        "Find layers by name, conv, linear or shape (3x3)", CHOOSE),
    Key("escape", "escape", "layer_list.list_all", "all layers",
        "List all layers again", CHOOSE, footer=9),
    Key("space", "space", "layer_list.fold", "fold",
        "Fold or unfold the group; keys on it act on all", CHOOSE, footer=5),
    Key("z", "z", "layer_list.fold_all", "fold all", "Fold or unfold every group", CHOOSE),
    Key("m", "m", "planning.presets", "presets",
        "Apply a ready-made plan", CHOOSE, footer=4),
    Key("u", "u", "planning.undo", "undo",
        "Undo the last change, prune or fine-tuning", CHOOSE),
    Key("U", "U", "planning.redo", "redo", "Redo it", CHOOSE),
    Key("g", "g", "goals.ask", "goal",
        "Turn a goal, such as 60x, into per-layer sparsities", CHOOSE, footer=6),
    Key("s", "s", "scanning.start", "scan",
        "Measure how sensitive each layer is to pruning", CHOOSE, footer=5),
    Key("plus", "+", "scanning.tolerate(1)", "looser tolerance",
        "Lower the line in the sensitivity plot", CHOOSE),
    Key("minus", "-", "scanning.tolerate(-1)", "tighter tolerance",
        "Raise the line in the sensitivity plot", CHOOSE),
    Key("p", "p", "training.prune", "prune",
        "Prune the base to the plan in one shot, and measure it", WORK, footer=8),
    Key("c", "c", "planning.recipe", "recipe", "Change the recipe: method, epochs, learning rate",
        WORK, footer=3),
    Key("f", "f", "training.finetune", "fine-tune",
        "Fine-tune from the base to the plan", WORK, footer=9),
    Key("x,escape", "x", "training.stop", "stop",
        "Stop the job (also escape); the best epoch is kept", WORK, footer=9),
    Key("a", "a", "training.adopt", "adopt", "Make the fine-tuned net the base, to prune it again",
        WORK, footer=7),
    Key("r", "r", "training.revert", "dense", "Go back to the dense net as the base", WORK),
    Key("e", "e", "exporting.ask", "export",
        "Write the net on the screen to a file, and measure it", WORK, footer=1),
    Key("t", "t", "training.train", "train", "Train a new dense net (asks first)", WORK),
    Key("v", "v", "plots.step(1)", "plot", "Show the next plot", LOOK, footer=2),
    Key("V", "V", "plots.step(-1)", "previous plot", "Show the previous plot", LOOK),
    Key("b", "b", "benchmarking.start", "bench",
        "Benchmark the net in every installed engine", LOOK),
    Key("d", "d", "plots.images", "predictions",
        "Show ten test images; again: newly wrong ones", LOOK),
    Key("D", "D", "plots.more_images", "more predictions", "Show the next ten test images", LOOK),
    Key("w", "w", "recipe_files.write", "write",
        "Write sparsities and settings to a TOML file", LOOK),
    Key("o", "o", "recipe_files.open", "open",
        "Read sparsities and settings from such a file", LOOK),
    Key("h", "h", "history.show", "history", "Compare, annotate and restore recorded runs", LOOK,
        footer=4),
    Key("question_mark,f1", "?", "program.help", "help",
        "Explain every key and number (also F1)", LOOK, footer=10),
    Key("q", "q", "program.leave", "quit",
        "Quit (also ctrl+q); asks while a job runs", LOOK, footer=10),
)  # fmt: skip


BINDINGS: list[BindingType] = [binding for key in KEYS for binding in key.bindings()]


def fitting(keys: Sequence[Key], width: int) -> tuple[Key, ...]:
    """The most important keys, as many as fit in the footer."""
    kept = list(keys)
    while kept and sum(key.width for key in kept) - 1 > width:
        kept.remove(min(kept, key=lambda key: key.footer))
    return tuple(kept)
