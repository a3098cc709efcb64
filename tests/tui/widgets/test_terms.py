"""Terms and widgets explain themselves where they are."""

from __future__ import annotations

from textual.widget import Widget

from tests.tui.conftest import ready
from tests.tui.scripted import Scripted
from tui.app import FeatherweightApp
from tui.screens.form_dialog import FormDialog
from tui.screens.help.sections import context
from tui.screens.help.texts import PLOTS as EXPLAINED
from tui.screens.overlay import Dialog
from tui.screens.path_dialog import PathDialog
from tui.text.terms import TERMS, explanation_at
from tui.views.plot_registry import PLOTS
from tui.widgets.inputs.line_input import LineInput
from tui.widgets.layer_table import LayerTable


def test_a_term_is_explained_where_the_pointer_is():
    line = "  kept 6,183   threshold"
    assert explanation_at(line, 2) == f"kept: {TERMS['kept']}"
    assert explanation_at(line, len(line) - 1) == f"threshold: {TERMS['threshold']}"
    for cell in (0, 7, 12, 99):
        assert explanation_at(line, cell) is None
    assert explanation_at("36.9x lighter", 8) == f"ratio: {TERMS['ratio']}"


def test_every_plot_is_explained():
    assert EXPLAINED.keys() == PLOTS.keys()


def test_every_widget_that_takes_the_focus_has_help():
    def below(kind: type[Widget]) -> set[type[Widget]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {kind for kind in below(Widget) if kind.__module__.startswith("tui.widgets")}
    focused = {kind for kind in ours if kind.can_focus or issubclass(kind, LineInput)}
    without = {kind.__name__ for kind in focused if not getattr(kind, "HELP", None)}
    assert without <= {"LineInput", "SteadyInput", "_LineBox"}  # which are parts of others


def test_every_dialog_explains_itself():
    dialogs = {kind for kind in Dialog.__subclasses__() if kind.__module__.startswith("tui.")}
    dialogs |= {*FormDialog.__subclasses__(), *PathDialog.__subclasses__()}
    silent = {kind.__name__ for kind in dialogs if not getattr(kind, "HELP", None)}
    assert silent <= {"FormDialog", "PathDialog", "HelpScreen"}


async def test_the_help_begins_with_what_has_the_focus_and_the_plots_on_the_screen():
    app = FeatherweightApp(Scripted())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot)
        screen = app.main_screen
        visible = screen.visible_plots(app.state)
        titles = [section.title for section in context(screen, visible)]
        assert titles == ["Layers", *(f"Plot: {PLOTS[name].about}" for name in visible)]
        await pilot.press("tab")
        assert context(screen)[0].title == "Plots"
        table = screen.query_one(LayerTable)
        place = next(
            (x, y)
            for y, line in enumerate(table.lines)
            for x in [("".join(text for text, _ in line)).find("sparsity")]
            if x >= 0
        )
        await pilot.hover(LayerTable, offset=place)
        assert str(table.tooltip).startswith("sparsity: ")
