"""The export dialog: the file's name, and how it stores the values."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Input, Label

from tui.screens.form_dialog import TITLE_WIDTH, FormDialog
from tui.screens.path_dialog import LONGEST
from tui.state.export_form import ExportForm
from tui.text.lines import Line, Span, clean
from tui.widgets.inputs.line_input import SteadyInput
from tui.widgets.lines import LinesWidget


class ExportDialog(FormDialog[ExportForm]):
    """Closes with the edited form.

    Args:
        what: the name of the net to write.
        form: the initial form.
    """

    HELP = """
    # Export
    Writes the net to a file, reads it back and measures it. The extension picks the format: .fw
    is compact, .safetensors and .pt hold a state_dict, .onnx is for other engines. In a compact
    file, float32 is exact; a codebook or steps share few values among the weights of a layer,
    which takes fewer bytes and may cost accuracy: a drop in points limits it.
    """

    BINDINGS = [Binding("tab", "move(1)", "row below")]
    HINT = "↑↓ row · ←→ change · Enter write · Esc cancel"
    FIRST = 1

    def __init__(self, what: str, form: ExportForm) -> None:
        super().__init__(form)
        self._what = what

    def above(self) -> ComposeResult:
        """The title, and a line for the file's name."""
        yield Label(f"Export {self._what}", classes="dialog--title", markup=False)
        with Horizontal(id="export-line"):
            yield LinesWidget(id="export-file")
            yield SteadyInput(self.form.path, id="export-path", compact=True, max_length=LONGEST)
        yield LinesWidget(id="export-folder")

    @property
    def hint(self) -> str:
        """What sharing values means, if the weights do, and the keys."""
        return "\n".join(filter(None, (self.form.sharing, self.HINT)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Update the rows: a new suffix may mean another format."""
        event.stop()
        self.edit(replace(self.form, path=event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the form as it is."""
        event.stop()
        self.action_take()

    def on_descendant_focus(self) -> None:
        """Select the name's row when it is clicked."""
        self.edit(replace(self.form, at=0))

    def edit(self, form: ExportForm) -> None:
        """Replace the form; only its first row can be typed in."""
        super().edit(form)
        self.set_focus(None if form.at else self.query_one(Input))

    def show(self) -> None:
        """Show the rows, and whether the name's is selected."""
        super().show()
        role, sign = ("plain", "  ") if self.form.at else ("chosen", "▶ ")
        line = (Span(sign, "chosen"), Span("file".ljust(TITLE_WIDTH), role))
        self.query_one("#export-file", LinesWidget).lines = (line,)
        folder = self.query_one("#export-folder", LinesWidget)
        folder.lines = (_folder_line(self.form.folder, folder.size.width),)


def _folder_line(folder: str, width: int) -> Line:
    """In which folder the file will be, below its name; of a long path, the end."""
    room = max(width - TITLE_WIDTH - len("  in "), 1)
    name = clean(folder)
    end = name if len(name) <= room else f"…{name[len(name) - room + 1 :]}"
    return (Span(" " * (TITLE_WIDTH + 2), "plain"), Span(f"in {end}" * bool(folder), "muted"))
