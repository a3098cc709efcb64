"""The keys and the mouse that choose sparsities."""

from __future__ import annotations

from dataclasses import replace

from core.presets import preset_plan, presets_of
from tui.choosing import Choosing
from tui.screens.choices import ChoicesScreen
from tui.screens.dialogs import Choice
from tui.session import Session
from tui.state import State
from tui.views.activity import Outcome
from tui.views.table import LOCK
from tui.widgets.layer_table import LayerTable
from tui.widgets.value_input import ValueInput


class Planning(Session):
    """Everything that changes the plan by hand."""

    def action_layer(self, steps: int) -> None:
        """Choose a layer above or below."""
        self.show(self.state.choose(self.state.chosen + steps))

    def action_nudge(self, steps: int) -> None:
        """Move the chosen layer's sparsity by whole percents."""
        self.show(self.state.nudge(steps))

    def action_type_value(self, digit: str) -> None:
        """Open the line in which an exact sparsity is typed."""
        index = self.state.chosen
        profile = self.state.profiles[index]
        self.explore.query_one(ValueInput).ask(index, profile.layer.name, profile.floor, digit)
        self.show(self.state)

    def on_value_input_taken(self, message: ValueInput.Taken) -> None:
        """Take the typed sparsity."""
        self.show(self.state.set_sparsity(message.index, message.sparsity))
        self.explore.query_one(LayerTable).focus()

    def on_value_input_left(self) -> None:
        """Leave the sparsity as it is."""
        self.explore.query_one(LayerTable).focus()
        self.show(self.state)

    def action_spread(self) -> None:
        """Give every layer the chosen one's sparsity."""
        self.show(self.state.spread())

    def action_reset_layer(self) -> None:
        """Reset the chosen layer to its floor."""
        self.show(self.state.set_sparsity(self.state.chosen, 0.0))

    def action_lock(self) -> None:
        """Lock the chosen layer, or free it."""
        self.show(self.state.toggle_lock())
        name = self.state.layer_names[self.state.chosen]
        held = f"{name} is locked {LOCK}: goals, presets and = leave it alone; l frees it"
        text = held if name in self.state.locked else f"{name} is free again"
        self.say(Outcome(text, role="muted"))
        self.show(self.state)

    def action_choices(self) -> None:
        """Ask how to fine-tune."""
        settings, base = self.state.settings, self.state.base
        rewindable = base is not None and base.early is not None
        choosing = Choosing(settings.recipe, settings.choices, rewindable=rewindable)
        self.push_screen(ChoicesScreen(choosing), self._take_choices)

    def _take_choices(self, chosen: Choosing | None) -> None:
        if chosen is not None:
            settings = self.state.settings
            settings = replace(settings, recipe=chosen.recipe, choices=chosen.choices)
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
        """The mouse chose a layer, perhaps a sparsity."""
        state = self.state.choose(message.index)
        if message.sparsity is not None:
            state = state.set_sparsity(message.index, message.sparsity)
        self.show(state)

    def on_layer_table_nudged(self, message: LayerTable.Nudged) -> None:
        """The wheel turned over a layer."""
        self.show(self.state.choose(message.index).nudge(message.steps))
