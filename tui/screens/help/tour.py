"""A tour of five short cards: what the program is for, and the keys to begin with."""

from collections.abc import Callable
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical

from tui.keys.keymap import with_keys
from tui.screens.help.prose import prose
from tui.screens.overlay import Dialog
from tui.text.lines import Line, Lines, Span, width_of
from tui.widgets.lines import LinesWidget

WIDTH = 48
"""Cells of a card, which fits in a terminal of 60x20."""

ROWS = 11
"""Lines of a card, the same for all, so that nothing jumps."""


@dataclass(frozen=True, slots=True)
class Card:
    """A heading, a picture, and a text; keys in braces are those in force."""

    title: str
    picture: Lines
    text: str


def _line(*parts: tuple[str, str]) -> Line:
    return tuple(Span(text, role) for text, role in parts)


def _accuracy(name: str, role: str, key: str, bar: int, accuracy: str) -> Line:
    return _line(
        (f"{name:<11}", role), (key, "chosen"), (" ", "plain"), ("█" * bar, role),
        (f"{'':<{22 - bar}} {accuracy:>5} %", "plain"),
    )  # fmt: skip


CARDS = (
    Card(
        "How light can a neural net be?",
        (
            _line(("dense          ", "dense"), ("█" * 24, "dense"), ("  99.4 %", "plain")),
            _line(("36.9x lighter  ▊", "finetuned"), (f"{'99.3 %':>31}", "plain")),
        ),
        "Most weights of a trained net can be removed, and it hardly notices. Here you find out "
        "which ones, layer by layer, and watch what happens.",
    ),
    Card(
        "1. Set a sparsity for each layer",
        (
            _line(("  conv1  ", "plain"), ("█████████████", "kept"), ("·······", "muted"),
                  ("  65.0 %", "plain")),
            _line(("▸ conv2  ", "chosen"), ("███████████████████", "kept"), ("·", "muted"),
                  ("  95.0 %", "plain")),
        ),
        "{row-above}{row-below} choose a layer, {less}{more} change it, and the accuracy follows. "
        "{presets} applies a ready-made plan; {goal} turns a goal such as 60x into one.",
    ),
    Card(
        "2. Prune, and let it recover",
        (
            _accuracy("dense", "dense", " ", 22, "99.4"),
            _accuracy("pruned", "pruned", "{prune}", 3, "11.4"),
            _accuracy("fine-tuned", "finetuned", "{fine-tune}", 22, "99.3"),
        ),
        "{prune} prunes to the plan and measures. {fine-tune} trains what is left until the "
        "accuracy is back. {stop} stops a job, {undo} undoes anything.",
    ),
    Card(
        "3. See why",
        (
            _line(("▁▂▄▆█", "removed"), ("┊", "chosen"), ("▆▄▂▁▂▄▆", "muted"), ("┊", "chosen"),
                  ("█▆▄▂▁", "removed"), ("   ▔▔▔▔╲", "finetuned")),
            _line(("  weights ", "muted"), ("{next-plot}", "chosen"), ("        ", "muted"),
                  ("   sensitivity ", "muted"), ("{scan}", "chosen")),
        ),
        "{next-plot} shows the next plot: weights, accuracy, files, speed. {scan} measures how "
        "sensitive each layer is, {predictions} shows the images it gets wrong.",
    ),
    Card(
        "4. Keep it",
        (
            _line(("net.fw  ", "finetuned"), ("24,100 bytes", "title"), ("   99.3 %", "plain")),
            _line(("{export}", "chosen"), (" export    ", "plain"), ("{open-history}", "chosen"),
                  (" history    ", "plain"), ("Ctrl+P", "chosen"), (" all actions", "plain")),
        ),
        "{export} writes the net to a file and measures it as read back. Every run is kept in the "
        "history ({open-history}). {help} explains what you look at, and shows this tour again.",
    ),
)  # fmt: skip


class TourScreen(Dialog[None]):
    """The cards, one at a time; Esc skips the rest."""

    HELP = """
    # The tour
    Enter shows the next card, the left arrow the one before, and Esc closes the tour.
    """

    ROLES = (
        "title", "plain", "muted", "chosen", "dense", "pruned", "finetuned", "kept", "removed",
    )  # fmt: skip
    COMPONENT_CLASSES = {f"role--{role}" for role in (*ROLES, "error")}
    BINDINGS = [
        Binding("enter,right,space,down,j", "step(1)", "next"),
        Binding("left,up,backspace,k", "step(-1)", "previous"),
        Binding("q", "leave", "skip"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self._afterwards: list[Callable[[], object]] = []

    def compose(self) -> ComposeResult:
        """A card."""
        with Vertical(classes="dialog", id="card") as card:
            yield LinesWidget(id="tour")
        card.border_title = "Featherweight"
        self._card = card

    def on_mount(self) -> None:
        """Show the first card."""
        self.action_step(0)

    def afterwards(self, act: Callable[[], object]) -> None:
        """Do something once the tour is closed, such as asking a question."""
        self._afterwards.append(act)

    def action_leave(self) -> None:
        """Close the tour."""
        if self.is_active:
            super().action_leave()
            for act in self._afterwards:
                self.app.call_later(act)

    def action_step(self, steps: int) -> None:
        """Show another card; the one after the last closes the tour."""
        if self.at + steps >= len(CARDS):
            self.action_leave()
            return
        self.at = max(0, self.at + steps)
        last = self.at == len(CARDS) - 1
        self.query_one("#tour", LinesWidget).lines = card_lines(self.at)
        back = "← back · " if self.at else ""
        self._card.border_subtitle = f"{back}Enter {'begin' if last else 'next · Esc skip'}"


def card_lines(at: int) -> Lines:
    """A card with dots that say which one it is."""
    card = CARDS[at]
    picture = [tuple(Span(with_keys(text), role) for text, role in line) for line in card.picture]
    text = prose(card.text, WIDTH)
    dots = _line(*(("● " if place == at else "○ ", "chosen" if place == at else "muted")
                   for place in range(len(CARDS))))  # fmt: skip
    body = [_line((card.title, "title")), (), *map(_centered, picture), (), *text]
    filler = [()] * (ROWS - len(body) - 1)
    return (*body, *filler, _centered(dots))


def _centered(line: Line) -> Line:
    return (Span(" " * max(0, (WIDTH - width_of(line)) // 2), "plain"), *line)
