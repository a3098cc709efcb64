"""The keys of the main screen: the single source of its bindings, footer and help."""

import math
from collections.abc import Sequence

from tui.keys.key import Key

PLAN, RUN, VIEW = "Set sparsities", "Prune and fine-tune", "Plots, files and program"

KEYS = (
    Key("up,k", "↑ k", "planning.choose(-1)", "row above", "Select the row above", PLAN),
    Key("down,j", "↓ j", "planning.choose(1)", "row below", "Select the row below", PLAN),
    Key("left", "←", "planning.nudge(-1)", "1 % less", "Lower the sparsity by 1 %", PLAN,
        id="less"),
    Key("right", "→", "planning.nudge(1)", "1 % more", "Raise the sparsity by 1 %", PLAN,
        id="more"),
    Key("shift+left,left_square_bracket", "Shift+← [", "planning.nudge(-5)", "5 % less",
        "Lower the sparsity by 5 %", PLAN, id="much-less"),
    Key("shift+right,right_square_bracket", "Shift+→ ]", "planning.nudge(5)", "5 % more",
        "Raise the sparsity by 5 %", PLAN, id="much-more"),
    Key("0,1,2,3,4,5,6,7,8,9", "0-9", "planning.type_value('{key}')", "exact value",
        "Type the exact sparsity in percent", PLAN),
    Key("equals_sign", "=", "planning.copy_to_listed", "copy to all",
        "Copy the selected row's sparsity to every listed layer", PLAN),
    Key("backspace", "Backspace", "planning.reset", "reset",
        "Reset the layer to its floor, the base's sparsity", PLAN),
    Key("l", "l", "planning.lock", "lock", "Lock or unlock the layer; bulk changes skip it", PLAN),
    Key("asterisk", "*", "layer_list.list_same_kind", "same kind",
        "List only layers of this kind, such as convolutions", PLAN),
    Key("slash", "/", "layer_list.find", "find layers",
        "Find layers by name, kind (conv) or shape (3x3)", PLAN),
    Key("escape", "Esc", "layer_list.list_all", "all layers",
        "List all layers again", PLAN, footer=9),
    Key("space", "Space", "layer_list.fold", "fold",
        "Fold or unfold the group", PLAN, footer=5),
    Key("z", "z", "layer_list.fold_all", "fold all", "Fold or unfold every group", PLAN),
    Key("m", "m", "planning.presets", "preset", "Apply a ready-made plan", PLAN, footer=4,
        id="presets"),
    Key("u", "u", "planning.undo", "undo",
        "Undo the last change, including a pruning or fine-tuning", PLAN),
    Key("U", "U", "planning.redo", "redo", "Redo the last undone change", PLAN),
    Key("g", "g", "goals.ask", "goal",
        "Turn a goal, such as 60x or 25 % macs, into per-layer sparsities", PLAN, footer=6),
    Key("s", "s", "scanning.start", "scan",
        "Measure how sensitive each layer is to pruning", PLAN, footer=5),
    Key("plus", "+", "scanning.move_tolerance(1)", "looser tolerance",
        "Lower the tolerance line in the sensitivity plot", PLAN),
    Key("minus", "-", "scanning.move_tolerance(-1)", "tighter tolerance",
        "Raise the tolerance line in the sensitivity plot", PLAN),
    Key("p", "p", "training.prune", "prune",
        "Prune the base to the plan in one shot, and measure it", RUN, footer=8),
    Key("f", "f", "training.finetune", "fine-tune",
        "Fine-tune to the plan, from the base or the reconstructed net", RUN, footer=9,
        narrow="tune"),
    Key("R", "R", "training.reconstruct", "reconstruct",
        "Choose masks and weights layer by layer so that each keeps its output", RUN, footer=3,
        narrow="recon."),
    Key("c", "c", "planning.recipe", "recipe",
        "Change the recipe: method, criterion, epochs, recalibration", RUN, footer=2),
    Key("x", "x", "training.stop", "stop",
        "Stop the job; the best epoch, or the layers done, are kept", RUN, footer=9),
    Key("escape", "Esc", "training.ask_to_stop", "stop?", "Ask whether to stop the job", RUN,
        id="ask-to-stop"),
    Key("G", "G", "sweeping.show", "sweep",
        "Sweep: fine-tune to many plans, and watch it; finds one that runs", RUN),
    Key("a", "a", "training.adopt", "adopt",
        "Make the fine-tuned or reconstructed net the base, to prune it further", RUN, footer=7),
    Key("r", "r", "training.revert", "revert to dense", "Make the dense net the base again", RUN),
    Key("e", "e", "exporting.ask", "export",
        "Export the net on the screen, and measure the file", RUN, footer=1),
    Key("t", "t", "training.train", "train", "Train a new dense net (asks first)", RUN),
    Key("v", "v", "plots.step(1)", "plot", "Show the next plot", VIEW, footer=3,
        id="next-plot"),
    Key("V", "V", "plots.step(-1)", "previous plot", "Show the previous plot", VIEW),
    Key("F", "F", "plots.full_screen", "full screen",
        "Show the plot on the whole screen: read out its points, export it (Enter on a plot, too)",
        VIEW, footer=1),
    Key("b", "b", "benchmarking.start", "benchmark",
        "Benchmark the net in every installed engine", VIEW),
    Key("d", "d", "plots.images", "predictions",
        "Show predictions for ten test images; press again for newly wrong ones", VIEW),
    Key("D", "D", "plots.more_images", "more predictions", "Show the next ten predictions", VIEW),
    Key("w", "w", "recipe_files.write", "write recipe file",
        "Write a recipe file: sparsities and settings, in TOML", VIEW),
    Key("o", "o", "recipe_files.open", "open recipe file",
        "Open a recipe file", VIEW),
    Key("h", "h", "history.show", "history", "Compare, annotate and restore recorded runs", VIEW,
        footer=4, narrow="runs", id="open-history"),
    Key("question_mark,f1", "?", "program.help", "help",
        "Explain every key and number (also F1)", VIEW, footer=10, narrow=""),
    Key("M", "M", "program.messages", "messages",
        "Show every message of this session in full", VIEW),
    Key("q", "q", "program.leave", "quit",
        "Quit (also Ctrl+Q); asks first while a job is running", VIEW, footer=10, narrow=""),
)  # fmt: skip


FOOTER_ORDER = (RUN, PLAN, VIEW)
"""The groups from left to right."""

SEPARATOR = "│ "
"""Between the groups of keys in the footer."""


MINOR = 2
"""The importance up to which keys give way to longer words of others."""

NARROW = 70
"""Below this width some keys lose their words before the footer gives up keys."""


def fitting(keys: Sequence[Key], width: int) -> tuple[Key, ...]:
    """The most important keys, as many as fit in the footer, in groups.

    Words become shorter before keys are left out, but for minor ones.
    """
    places = {group: place for place, group in enumerate(FOOTER_ORDER)}
    shown = sorted(keys, key=lambda key: places.get(key.group, 0))
    most = _without_least(shown, width, MINOR)
    if _fit(most, width):
        return most
    shorter = [key.narrowed() if key.narrow or width < NARROW else key for key in shown]
    return _without_least(shorter, width)


def _without_least(keys: Sequence[Key], width: int, most: float = math.inf) -> tuple[Key, ...]:
    """Keys without the least important ones, up to this importance, until they fit."""
    shown = list(keys)
    while not _fit(shown, width):
        least = min(shown, key=lambda key: key.footer)
        if least.footer > most:
            break
        shown.remove(least)
    return tuple(shown)


def _fit(keys: Sequence[Key], width: int) -> bool:
    return not keys or footer_width(keys) - 1 <= width


def footer_width(keys: Sequence[Key]) -> int:
    """The cells that keys take in the footer, with what separates their groups."""
    groups = {key.group for key in keys}
    return sum(key.width for key in keys) + len(SEPARATOR) * max(0, len(groups) - 1)
