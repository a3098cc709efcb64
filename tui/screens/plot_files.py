"""Writing a plot to a file: as a picture, or its data as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path

from textual.screen import Screen

from core.errors import InputError
from core.experiments.runs import check_outside_runs
from core.system.files import check_writable, write_text, write_whole
from tui.plots.export.picture import Picture
from tui.screens.path_dialog import PathDialog
from tui.screens.question import Question
from tui.system.paths import path_of

KINDS = (".svg", ".png", ".csv")
HINT = ".svg or .png: a picture of the plot · .csv: its data"


class PlotFileDialog(PathDialog):
    """Asks for the path of a plot's file."""

    HELP = """
    # A plot as a file
    Type the path of a file; Enter takes it, Esc cancels. The extension picks what is written: .svg
    and .png are pictures of the plot as it is shown, .csv is the table of its data.
    """


@dataclass(frozen=True, slots=True)
class PlotFile:
    """A plot to be written.

    Attributes:
        picture, table: return what is written.
        say: shows what became of it, as a text with a role.
    """

    picture: Callable[[], Picture]
    table: Callable[[], str]
    say: Callable[[str, str], object]


def ask(screen: Screen[None], path: str, file: PlotFile, chosen: Callable[[str], object]) -> None:
    """Ask for a path, and write a plot there; `chosen` takes the path."""

    def take(text: str | None) -> None:
        if text is None:
            return
        chosen(text)
        target = path_of(text)
        if lexists(target):
            question = Question(f"{text} already exists. Replace it?", "Replace it", "Keep it")
            screen.app.push_screen(question, lambda yes: write(file, target) if yes else None)
        else:
            write(file, target)

    dialog = PlotFileDialog("write", path, "the plot", HINT, check_target)
    screen.app.push_screen(dialog, take)


def check_target(text: str) -> None:
    """Raise InputError if no plot can be written to a path."""
    path = path_of(text)
    if path.suffix.lower() not in KINDS:
        given = f"'{path.suffix}'" if path.suffix else "no extension"
        raise InputError(f"{given}: expected a file that ends in {', '.join(KINDS)}")
    check_writable(path)
    check_outside_runs(path)


def write(file: PlotFile, path: Path) -> None:
    """Write the kind of file that the extension names, and say so."""
    try:
        _write(file, path)
    except InputError as error:
        file.say(str(error), "error")
    else:
        file.say(f"wrote {path}", "good")


def _write(file: PlotFile, path: Path) -> None:
    if path.suffix.lower() == ".csv":
        write_text(path, file.table())
    elif path.suffix.lower() == ".png":
        from tui.plots.export.png import write_png  # late: it loads Pillow

        picture = file.picture()
        write_whole(path, lambda part: write_png(part, picture))
    else:
        from tui.plots.export.svg import svg

        write_text(path, svg(file.picture()))
