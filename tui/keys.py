"""Every key, what it does and what it is called: bindings, help and README say the same."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or several that do the same.

    Attributes:
        keys: as Textual names them, separated by commas.
        shown: as a person reads them.
        action: of the app; `{key}` in it stands for the key that was pressed.
        label: in the footer and the help.
        tooltip: one sentence.
        group: the heading in the help.
        footer: listed at the bottom of the screen.
    """

    keys: str
    shown: str
    action: str
    label: str
    tooltip: str
    group: str
    footer: bool = False

    @property
    def name(self) -> str:
        """The action without its parameters."""
        return self.action.partition("(")[0]

    def bindings(self) -> list[Binding]:
        """The keys as Textual bindings."""
        return [
            Binding(
                key,
                self.action.format(key=key),
                self.label,
                show=self.footer and place == 0,
                key_display=self.shown,
                tooltip=self.tooltip,
                id=f"{self.label.replace(' ', '-')}-{place}",
            )
            for place, key in enumerate(self.keys.split(","))
        ]


CHOOSE, WORK, LOOK = "Choose sparsities", "Prune and fine-tune", "Look"

KEYS = (
    Key("up,k", "↑ k", "layer(-1)", "layer up", "Choose the layer above", CHOOSE),
    Key("down,j", "↓ j", "layer(1)", "layer down", "Choose the layer below", CHOOSE),
    Key("left", "←", "nudge(-1)", "1 % less", "Lower the sparsity by 1 %", CHOOSE),
    Key("right", "→", "nudge(1)", "1 % more", "Raise the sparsity by 1 %", CHOOSE),
    Key("shift+left,left_square_bracket", "shift+← [", "nudge(-5)", "5 % less",
        "Lower the sparsity by 5 %", CHOOSE),
    Key("shift+right,right_square_bracket", "shift+→ ]", "nudge(5)", "5 % more",
        "Raise the sparsity by 5 %", CHOOSE),
    Key("0,1,2,3,4,5,6,7,8,9", "0-9", "type_value('{key}')", "exact value",
        "Type the exact sparsity in percent", CHOOSE),
    Key("equals_sign", "=", "spread", "to all layers",
        "Give every layer the chosen one's sparsity", CHOOSE),
    Key("backspace", "backspace", "reset_layer", "back to floor",
        "Reset the layer to what the base has already", CHOOSE),
    Key("l", "l", "lock", "lock", "Lock the layer: what sets all leaves it alone", CHOOSE),
    Key("m", "m", "presets", "presets", "Choose a ready set of sparsities", CHOOSE, footer=True),
    Key("u", "u", "undo", "undo", "Take back the last change, prune or fine-tuning", CHOOSE),
    Key("U", "U", "redo", "redo", "Make it again", CHOOSE),
    Key("p", "p", "prune", "prune", "Prune the base to the plan at once and measure it", WORK,
        footer=True),
    Key("c", "c", "choices", "how", "Choose how to fine-tune: method, epochs, rates", WORK,
        footer=True),
    Key("f", "f", "finetune", "fine-tune", "Prune the base to the plan and retrain it", WORK,
        footer=True),
    Key("x,escape", "x", "stop", "stop", "Stop the job (escape too); what is good is kept", WORK,
        footer=True),
    Key("a", "a", "adopt", "adopt", "Make the fine-tuned net the base, to prune again",
        WORK, footer=True),
    Key("r", "r", "revert", "dense", "Go back to the dense net as the base", WORK),
    Key("t", "t", "train", "train", "Train a new dense net (asks first)", WORK),
    Key("v", "v", "plot(1)", "plot", "Show the next plot", LOOK, footer=True),
    Key("V", "V", "plot(-1)", "plot before", "Show the plot before", LOOK),
    Key("question_mark,f1", "?", "help", "help", "Every key and number explained (F1 too)", LOOK,
        footer=True),
    Key("q", "q", "leave", "quit", "Leave (ctrl+q too); asks while a job runs", LOOK, footer=True),
)  # fmt: skip


BINDINGS: list[BindingType] = [binding for key in KEYS for binding in key.bindings()]
