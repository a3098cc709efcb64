"""The keys and the mouse that choose sparsities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.pruning.presets import preset_plan, presets_of
from tui.screens.dialogs import Choice
from tui.screens.recipe import RecipeScreen
from tui.session import Session
from tui.state.recipe_form import RecipeForm
from tui.state.state import State
from tui.text.format import percent, plural
from tui.views.activity import Outcome
from tui.views.layer_table import LOCK, called
from tui.widgets.layer_table import LayerTable
from tui.widgets.value_input import ValueInput


class Planning(Session):
    """Everything that changes the plan by hand."""

    def action_layer(self, steps: int) -> None:
        """Choose a row above or below."""
        self.show(self.state.choose(self.state.listing.at + steps))

    def action_nudge(self, steps: int) -> None:
        """Move the sparsities of the chosen row by whole percents."""
        if self._may_change():
            self.show(self.state.nudge(steps))

    def action_type_value(self, digit: str) -> None:
        """Open the line in which an exact sparsity is typed."""
        if self._may_change():
            state = self.state
            floor = min(state.profiles[index].floor for index in state.acted_on)
            line = self.explore.query_one(ValueInput)
            line.ask(state.acted_on, called(state, state.listing.row), floor, digit)
            self.show(state)

    def on_value_input_taken(self, message: ValueInput.Taken) -> None:
        """Take the typed sparsity."""
        self._give(message.layers, message.sparsity, f"at {percent(100 * message.sparsity)} %")
        self.explore.query_one(LayerTable).focus()

    def on_value_input_left(self) -> None:
        """Leave the sparsity as it is."""
        self.explore.query_one(LayerTable).focus()
        self.show(self.state)

    def action_spread(self) -> None:
        """Give every layer that is listed the chosen row's sparsity."""
        before, listing = self.state, self.state.listing
        self.state = before.spread()
        if self.state is not before and (listing.filter or listing.row.group):
            shown = percent(100 * before.sparsity_of(listing.row.layers))
            self._tell(len(before.free(listing.listed)), f"at {shown} %")
        self.show(self.state)

    def action_reset_layer(self) -> None:
        """Reset the layers of the chosen row to their floors."""
        if self._may_change():
            self._give(self.state.acted_on, 0.0, "back at what the base has")

    def action_lock(self) -> None:
        """Lock the layers of the chosen row, or free them."""
        self.show(self.state.toggle_lock())
        row = self.state.listing.row
        names = [self.state.layer_names[index] for index in row.layers]
        if not names:
            return
        name = called(self.state, row)
        held = f"{name} is locked {LOCK}: goals, presets and = leave it alone; l frees it"
        text = held if names[0] in self.state.locked else f"{name} is free again"
        self.say(Outcome(text, role="muted"))
        self.show(self.state)

    def _may_change(self) -> bool:
        """Whether there is a layer for a key to act on; says so where all are locked."""
        row = self.state.listing.row
        if row.layers and not self.state.acted_on:
            text = f"all of {called(self.state, row)} is locked: l frees it"
            self.say(Outcome(text, role="warning"))
            self.show(self.state)
        return bool(self.state.acted_on)

    def _give(self, layers: Sequence[int], sparsity: float, where: str) -> None:
        """Give a sparsity to some layers; where they are several it is said to how many."""
        before, self.state = self.state, self.state.give(layers, sparsity)
        if self.state is not before and len(layers) > 1:
            self._tell(len(layers), where)
        self.show(self.state)

    def _tell(self, layers: int, where: str) -> None:
        """Say how many layers have been moved together, and where to."""
        text = f"{plural(layers, 'layer')} {where}: u takes it back"
        detail = "locked layers are left alone" if self.state.locked else ""
        self.say(Outcome(text, detail, passing=True))

    def action_choices(self) -> None:
        """Edit the recipe."""
        settings, base = self.state.settings, self.state.base
        rewindable = base is not None and base.early is not None
        form = RecipeForm(
            settings.recipe,
            settings.choices,
            rewindable=rewindable,
            image_values=base.image_values if base else 0,
        )
        self.push_screen(RecipeScreen(form), self._take_choices)

    def _take_choices(self, form: RecipeForm | None) -> None:
        if form is not None:
            settings = replace(self.state.settings, recipe=form.recipe, choices=form.choices)
            self.show(self.state.set_recipe(settings))

    def action_undo(self) -> None:
        """Take back the last change."""
        self._go_to(self.state.undo(), "taken back: U makes it again")

    def action_redo(self) -> None:
        """Make it again."""
        self._go_to(self.state.redo(), "made again: u takes it back")

    def _go_to(self, state: State, said: str) -> None:
        """Show another moment; the curve of a training that runs stays its own."""
        if self.job is not None:
            state = replace(state, course=self.state.course)
        elif state is not self.state:
            self.doing = Outcome(said, role="muted")
        self.show(state)

    def action_presets(self) -> None:
        """Offer the ready plans."""
        presets = presets_of(self.state.settings.model)
        options = [(name, preset.meaning) for name, preset in presets.items()]
        self.push_screen(Choice("Presets", options), self._take_preset)

    def _take_preset(self, name: str | None) -> None:
        if name is not None:
            preset = preset_plan(name, self.state.settings.model, self.state.layer_names)
            self.show(self.state.set_plan({**preset, **self.state.locks}))

    def on_layer_table_chosen(self, message: LayerTable.Chosen) -> None:
        """The mouse chose a row, perhaps a sparsity; a heading folds where that is not its bar."""
        state = self.state.choose(message.index)
        if message.sparsity is not None:
            state = state.give(state.acted_on, message.sparsity)
        elif state.listing.row.group:
            state = state.listed(state.listing.fold())
        self.show(state)

    def on_layer_table_nudged(self, message: LayerTable.Nudged) -> None:
        """The wheel turned over a row."""
        self.show(self.state.choose(message.index).nudge(message.steps))
