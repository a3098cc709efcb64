"""Planning: setting sparsities by keys and mouse."""

from collections.abc import Sequence
from dataclasses import replace

from core.pruning.presets import preset_plan, presets_of
from tui.features.availability import available
from tui.screens.question import Choice
from tui.screens.recipe_dialog import RecipeDialog
from tui.session import Session
from tui.state.recipe_form import RecipeForm
from tui.state.state import State
from tui.text.format import percent, plural
from tui.views.activity import Outcome
from tui.views.layer_table import LOCK, row_name
from tui.widgets.layer_table import LayerTable
from tui.widgets.value_input import ValueInput


class Planning:
    """Everything that changes the plan and the recipe by hand."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @available()
    def choose(self, steps: int) -> None:
        """Select a row above or below."""
        self.session.show(self.session.state.choose(self.session.state.listing.at + steps))

    @available()
    def nudge(self, steps: int) -> None:
        """Change the sparsities of the selected row by whole percents."""
        if self._may_change():
            self.session.show(self.session.state.nudge(steps))

    @available()
    def type_value(self, digit: str) -> None:
        """Open the input line for an exact sparsity."""
        if self._may_change():
            state = self.session.state
            floor = min(state.profiles[index].floor for index in state.target_layers)
            line = self.session.explore.query_one(ValueInput)
            line.ask(state.target_layers, row_name(state, state.listing.row), floor, digit)
            self.session.show(state)

    def on_value_taken(self, message: ValueInput.Taken) -> None:
        """Apply the typed sparsity."""
        self._give(message.layers, message.sparsity, f"set to {percent(100 * message.sparsity)} %")
        self.session.explore.query_one(LayerTable).focus()

    @available()
    def spread(self) -> None:
        """Copy the selected row's sparsity to every listed layer."""
        before, listing = self.session.state, self.session.state.listing
        self.session.state = state = before.spread()
        if state is not before and (listing.filter or listing.row.group):
            shown = percent(100 * before.sparsity_of(listing.row.layers))
            self._tell(len(before.unlocked(listing.listed)), f"set to {shown} %")
        self.session.show(state)

    @available()
    def reset(self) -> None:
        """Reset the layers of the selected row to their floors."""
        if self._may_change():
            self._give(self.session.state.target_layers, 0.0, "reset to the floor")

    @available()
    def lock(self) -> None:
        """Lock or unlock the layers of the selected row."""
        state = self.session.state.toggle_lock()
        row = state.listing.row
        if row.layers:
            name = row_name(state, row)
            held = f"{name} locked {LOCK}: excluded from goals, presets and =; l unlocks it"
            is_locked = state.layer_names[row.layers[0]] in state.locked
            self.session.say(Outcome(held if is_locked else f"{name} unlocked", role="muted"))
        self.session.show(state)

    def _may_change(self) -> bool:
        """Whether there is an unlocked layer to change; shows a message if not."""
        state = self.session.state
        row = state.listing.row
        if row.layers and not state.target_layers:
            text = f"all of {row_name(state, row)} is locked: l frees it"
            self.session.say(Outcome(text, role="warning"))
            self.session.show(state)
        return bool(state.target_layers)

    def _give(self, layers: Sequence[int], sparsity: float, where: str) -> None:
        """Set the sparsity of some layers, with a message if there are several."""
        before = self.session.state
        self.session.state = state = before.give(layers, sparsity)
        if state is not before and len(layers) > 1:
            self._tell(len(layers), where)
        self.session.show(state)

    def _tell(self, layers: int, where: str) -> None:
        """Show how many layers were changed together, and how."""
        text = f"{plural(layers, 'layer')} {where} · u undoes it"
        detail = "locked layers unchanged" if self.session.state.locked else ""
        self.session.say(Outcome(text, detail, passing=True))

    @available()
    def recipe(self) -> None:
        """Ask for changes to the recipe."""
        settings, base = self.session.state.settings, self.session.state.base
        rewindable = base is not None and base.early is not None
        form = RecipeForm(
            settings.recipe,
            settings.choices,
            rewindable=rewindable,
            image_values=base.image_values if base else 0,
        )
        self.session.ask(RecipeDialog(form), self._take_recipe)

    def _take_recipe(self, chosen: RecipeForm | None) -> None:
        if chosen is not None:
            settings = self.session.state.settings
            settings = replace(settings, recipe=chosen.recipe, choices=chosen.choices)
            self.session.show(self.session.state.set_recipe(settings))

    @available()
    def undo(self) -> None:
        """Undo the last change."""
        self._go_to(self.session.state.undo(), "undone · U redoes it")

    @available()
    def redo(self) -> None:
        """Redo the last undone change."""
        self._go_to(self.session.state.redo(), "redone · u undoes it")

    def _go_to(self, state: State, said: str) -> None:
        """Show another undo point; a running training keeps its curve."""
        if self.session.job is not None:
            state = replace(state, curve=self.session.state.curve)
        elif state is not self.session.state:
            self.session.doing = Outcome(said, role="muted")
        self.session.show(state)

    @available()
    def presets(self) -> None:
        """Offer the presets."""
        presets = presets_of(self.session.state.settings.model)
        options = [(name, preset.meaning) for name, preset in presets.items()]
        self.session.ask(Choice("Presets", options), self._take_preset)

    def _take_preset(self, name: str | None) -> None:
        if name is not None:
            state = self.session.state
            preset = preset_plan(name, state.settings.model, state.layer_names)
            self.session.show(state.set_plan({**preset, **state.locks}))

    def on_row_chosen(self, message: LayerTable.Chosen) -> None:
        """The mouse selected a row or set a sparsity; a click on a group folds it."""
        state = self.session.state.choose(message.index)
        if message.sparsity is not None:
            state = state.give(state.target_layers, message.sparsity)
        elif state.listing.row.group:
            state = state.listed(state.listing.fold())
        self.session.show(state)

    def on_row_nudged(self, message: LayerTable.Nudged) -> None:
        """The wheel turned over a row."""
        self.session.show(self.session.state.choose(message.index).nudge(message.steps))
