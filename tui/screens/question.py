"""Dialogs with a question and two answers, or a choice from a list."""

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from tui.screens.overlay import DIALOG_ROLES, Dialog
from tui.text.lines import Lines, Span, width_of
from tui.widgets.lines import LinesWidget

HINT = "↑↓ choose · Enter confirm · Esc {}"


class Question(Dialog[bool]):
    """A question with two labeled answers: y gives the first, n or Esc the second.

    Enter gives the marked answer. At first that is the second one, which changes nothing, unless
    the first one is harmless.

    Args:
        text: the question.
        yes: what the first answer does.
        no: what the second one does instead.
        harmless: whether the first answer is marked at first.
    """

    HELP = """
    # A question
    The arrow keys mark an answer, Enter gives the marked one, and Esc the one that changes
    nothing. Each answer has a letter of its own.
    """

    COMPONENT_CLASSES = DIALOG_ROLES
    BINDINGS = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q", "answer(False)", "no"),
        Binding("enter", "take", "the marked answer"),
        Binding("up,left,k,shift+tab", "mark(True)", "first answer"),
        Binding("down,right,j", "mark(False)", "second answer"),
        Binding("tab", "switch", "other answer"),
    ]

    def __init__(self, text: str, yes: str, no: str, *, harmless: bool = False) -> None:
        super().__init__()
        self._text, self._yes, self._no = text, yes, no
        self.marked = harmless
        self._withdrawn = False

    def compose(self) -> ComposeResult:
        """Lay out the question, its answers and the keys."""
        with Vertical(classes="dialog"):
            yield Label(self._text, classes="dialog--title", markup=False)
            yield LinesWidget(id="answers")
            yield Label(
                HINT.format(self._no[:1].lower() + self._no[1:]),
                classes="dialog--hint",
                markup=False,
            )

    def on_mount(self) -> None:
        """Mark the first answer to suggest."""
        self.action_mark(self.marked)

    def withdraw(self) -> None:
        """Close with the second answer; below another screen, as soon as that has closed."""
        self._withdrawn = True
        self.dismiss(False)

    def on_screen_resume(self) -> None:
        """Close at last, if it is no longer asked."""
        if self._withdrawn:
            self.dismiss(False)

    def action_answer(self, yes: bool) -> None:
        """Close with an answer."""
        self.dismiss(yes)

    def action_take(self) -> None:
        """Close with the marked answer."""
        self.dismiss(self.marked)

    def action_mark(self, yes: bool) -> None:
        """Mark an answer."""
        self.marked = yes
        answers = self.query_one("#answers", LinesWidget)
        answers.lines = self._answers()
        answers.styles.width = width_of(answers.lines[0])

    def action_switch(self) -> None:
        """Mark the other answer."""
        self.action_mark(not self.marked)

    def on_click(self, event: events.Click) -> None:
        """Give the clicked answer."""
        if event.widget is self.query_one("#answers"):
            self.dismiss(event.get_content_offset_capture(event.widget).y == 0)

    def _answers(self) -> Lines:
        """A line for each answer, with its key."""
        width = max(len(self._yes), len(self._no))
        answers = ((self._yes, "y", self.marked), (self._no, "n", not self.marked))
        return tuple(
            (
                Span("▶ " if marked else "  ", "chosen"),
                Span(text.ljust(width), "chosen" if marked else "plain"),
                Span(f"  {key}", "muted"),
            )
            for text, key, marked in answers
        )


def replace_question(name: str) -> Question:
    """The question before a file that exists is replaced."""
    return Question(f"{name} already exists. Replace it?", "Replace it", "Keep it")


class Choice(Dialog[str]):
    """A list of names, each with what is beside and below it; Enter picks one, Esc cancels."""

    HELP = """
    # A choice
    The arrow keys move, Enter picks, and Esc changes nothing.
    """

    BINDINGS = [
        Binding("q", "leave", "close"),
        Binding("j", "app.simulate_key('down')", show=False),
        Binding("k", "app.simulate_key('up')", show=False),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str, str]]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        """Lay out the title and the options."""
        options = [Option(self._prompt(row), id=row[0]) for row in self._options]
        with Vertical(classes="dialog"):
            yield Label(self._title, classes="dialog--title", markup=False)
            yield OptionList(*options, markup=False)
            yield Label("↑↓ choose · Enter apply · Esc cancel", classes="dialog--hint")

    def _prompt(self, row: tuple[str, str, str], mark: str = " ") -> str:
        width = max(len(name) for name, *_ in self._options) + 2
        name, beside, below = row
        return f"{mark} {name:<{width}}{beside}\n    {below}"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Mark the selected option, and only that."""
        for index, row in enumerate(self._options):
            mark = "▶" if index == event.option_index else " "
            event.option_list.replace_option_prompt_at_index(index, self._prompt(row, mark))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close and return the option's name."""
        self.dismiss(event.option.id)
