"""The keys and the mouse actions that set sparsities; presets, undo and the recipe."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.pruning.presets import preset_plan, presets_of
from tui.features.feature import Feature, available
from tui.screens.question import Choice
from tui.screens.recipe_dialog import RecipeDialog
from tui.session import Session
from tui.state.recipe_form import RecipeForm
from tui.state.state import State
from tui.text.format import percent, plural, ratio
from tui.text.lines import cut_name
from tui.views.activity import Outcome
from tui.views.panels.layer_table import LOCK, row_name
from tui.widgets.inputs.value_input import ValueInput
from tui.widgets.layer_table import LayerTable

if TYPE_CHECKING:
    from core.pruning.what_if import Profile


def _lightness(state: State) -> str:
    """What a plan leaves, in three units."""
    sparsity = 100 * state.sparsity_of(range(len(state.profiles)))
    lighter = f"{ratio(state.footprint.ratio)} lighter"
    return f"{lighter} · {100 - sparsity:.1f} % of the weights · {sparsity:.1f} % sparsity"


class Planning(Feature):
    """Changing the plan and the recipe by hand."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._tried = "", ""
        """The base and the order that were last ranked, or stopped from it."""
        session.followers.append(self._rank)

    def _rank(self, state: State) -> None:
        """Rank the base's weights once its criterion is not magnitude; undo needs no other."""
        session, base, order = self.session, state.base, state.order
        if base is None or not base.trained or session.job is not None:
            return
        key, before = (base.digest, order), self._tried
        self._tried = key
        if key == before or not state.rankings.lack(base, order):
            return

        def finish(profiles: tuple[Profile, ...]) -> None:
            rankings = session.state.rankings.having(base, order, profiles)
            session.state = session.with_stored_scan(replace(session.state, rankings=rankings))
            session.activity = Outcome(f"the weights are ranked by {order}", transient=True)

        start = partial(session.backend.profiles, base, state.settings)
        session.start_job("ranking the weights", start, finish)

    @available()
    def choose(self, steps: int) -> None:
        """Select a row above or below."""
        self.session.show(self.state.choose(self.state.listing.at + steps))

    @available()
    def nudge(self, steps: int) -> None:
        """Change the sparsities of the selected row by whole percents."""
        if self._may_change():
            self.session.show(self.state.nudge(steps))

    @available()
    def type_value(self, digit: str) -> None:
        """Open the input line for an exact sparsity."""
        if not self._may_change():
            return
        state, layers = self.state, self.state.target_layers

        def take(sparsity: float | None) -> None:
            if sparsity is not None:
                self._set_sparsity(layers, sparsity, f"set to {percent(100 * sparsity)} %")
            self.session.focus_table()

        floor = min(state.profiles[index].floor for index in layers)
        screen = self.session.main_screen
        name = cut_name(row_name(state, state.listing.row), max(16, screen.size.width - 56))
        screen.query_one(ValueInput).ask(name, floor, digit, take)
        self.session.show(state)

    @available()
    def copy_to_listed(self) -> None:
        """Copy the selected row's sparsity to every listed layer."""
        state, listing = self.state, self.state.listing
        if layers := listing.row.layers:
            grouped = bool(listing.filter or listing.row.group)
            several = len(state.unlocked(listing.listed)) if grouped else 0
            change = f"set to {percent(100 * state.sparsity_of(layers))} %"
            self._show_change(state.copy_to_listed(), several, change)

    @available()
    def reset(self) -> None:
        """Reset the layers of the selected row to their floors."""
        if self._may_change():
            self._set_sparsity(self.state.target_layers, 0.0, "reset to the floor")

    @available()
    def lock(self) -> None:
        """Lock or unlock the layers of the selected row."""
        state, row = self.state.toggle_lock(), self.state.listing.row
        if row.layers:
            name = row_name(state, row)
            what = f"{name} locked ({LOCK}): excluded from goals, presets and {{copy-to-all}}"
            locked = f"{what}; {{lock}} to unlock"
            is_locked = state.layer_names[row.layers[0]] in state.locked
            outcome = Outcome(locked if is_locked else f"{name} unlocked", role="muted")
            self.session.show(state, outcome)

    def _may_change(self) -> bool:
        """Whether there is an unlocked layer to change; shows a message if not."""
        state, row = self.state, self.state.listing.row
        if row.layers and not state.target_layers:
            text = f"all layers of {row_name(state, row)} are locked; {{lock}} to unlock"
            self.session.show(state, Outcome(text, role="warning"))
        return bool(state.target_layers)

    def _set_sparsity(self, layers: tuple[int, ...], sparsity: float, change: str) -> None:
        """Set the sparsity of some layers."""
        self._show_change(self.state.set_sparsity(layers, sparsity), len(layers), change)

    def _show_change(self, state: State, layers: int, change: str) -> None:
        """Show another plan; if several layers changed together, say how many, and how."""
        outcome = None
        if state is not self.state and layers > 1:
            detail = "locked layers unchanged" if state.locked else ""
            text = f"{plural(layers, 'layer')} {change} · {{undo}} to undo"
            outcome = Outcome(text, detail, transient=True)
        self.session.show(state, outcome)

    @available()
    def recipe(self) -> None:
        """Ask for changes to the recipe."""
        settings, base = self.state.settings, self.state.base
        form = RecipeForm(
            settings.recipe,
            settings.changes,
            rewindable=base is not None and base.early is not None,
            size=base.training_size if base else None,
            recalibrate=settings.recalibrate if base is None or base.has_statistics else None,
            repair=settings.repair,
        )
        self.session.ask(RecipeDialog(form), self._take_recipe)

    def _take_recipe(self, form: RecipeForm) -> None:
        settings = form.applied_to(self.state.settings)
        state = self.state.set_recipe(settings)
        self.session.show(self.session.with_stored_scan(state))

    @available()
    def undo(self) -> None:
        """Undo the last change."""
        self._go_to(self.state.undo(), "undo", "undone · {redo} to redo")

    @available()
    def redo(self) -> None:
        """Redo the last undone change."""
        self._go_to(self.state.redo(), "redo", "redone · {undo} to undo")

    def _go_to(self, state: State, verb: str, text: str) -> None:
        """Show another undo point; while a job runs, only if nothing but the plan differs.

        The job's recipe and base stay on the screen, and so do its curve and what it has measured.
        """
        session, before = self.session, self.state
        if state is before:
            session.say(f"nothing to {verb}")
        elif session.job is None:
            session.show(state, Outcome(text, role="muted"))
        elif _differ_only_in_plan(state, before):
            kept = replace(state, pruned=before.pruned, reconstructed=before.reconstructed)
            session.show(replace(kept, curve=before.curve))
            session.say(text)
        else:
            what = "the recipe" if state.settings != before.settings else "a result"
            session.say(f"{verb} would change {what}: it waits until {session.job_title} ends")

    @available()
    def presets(self) -> None:
        """Offer the presets."""
        presets = presets_of(self.state.settings.model)
        options = [
            (name, preset.meaning, _lightness(self._with_preset(name)))
            for name, preset in presets.items()
            if preset.fits(self.state.layer_names)
        ]
        self.session.ask(Choice("Presets", options), self._take_preset)

    def _take_preset(self, name: str) -> None:
        self.session.show(self._with_preset(name))

    def _with_preset(self, name: str) -> State:
        preset = preset_plan(name, self.state.settings.model, self.state.layer_names)
        return self.state.set_plan({**preset, **self.state.locks})

    def on_mouse_action(self, message: LayerTable.MouseAction) -> None:
        """Nudge or set the sparsity of the row under the mouse, or fold or select it."""
        state = self.state.choose(message.index)
        if message.steps:
            state = state.nudge(message.steps)
        elif message.sparsity is not None:
            state = state.set_sparsity(state.target_layers, message.sparsity)
        elif state.listing.row.group:
            state = replace(state, listing=state.listing.fold())
        self.session.show(state)


def _differ_only_in_plan(one: State, other: State) -> bool:
    """Whether the sparsities differ, and neither the recipe nor a net or result does."""
    same = one.settings == other.settings and one.finetuned is other.finetuned
    same = same and one.base is other.base and one.dense is other.dense
    return same and one.planned != other.planned
