"""The plan, saved as it changes and offered at the next start."""

from dataclasses import replace
from functools import partial

from tui.features.feature import Feature
from tui.jobs.autosave import Autosave
from tui.keys.keymap import with_keys
from tui.screens.question import Question
from tui.session import Session
from tui.state.plan_file import SavedPlan
from tui.state.state import State
from tui.text.format import ratio
from tui.views.activity import Outcome


class SavedPlans(Feature):
    """Carrying the plan over to the next session.

    Attributes:
        autosave: saves the plan.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.autosave = Autosave(session.app, session.backend.settings)
        self._offered = False
        session.followers.append(self._follow)

    def disable(self) -> None:
        """Neither offer nor save a plan in this session."""
        self.session.followers.remove(self._follow)

    def _follow(self, state: State) -> None:
        if self._offered:
            self.autosave.follow(state)
        elif state.base is not None:
            self._offered = True
            self._offer(state)

    def _offer(self, state: State) -> None:
        """Ask whether to continue with an earlier session's plan, if there is one."""
        saved = self.autosave.load(state)
        if saved is None:
            self.autosave.begin(state)
            return
        light = ratio(state.set_plan(dict(saved.sparsity)).footprint.ratio)
        text = f"Continue with your last plan ({light})?"
        if saved.run and state.base and saved.base != state.base.digest:
            text += f"\nIt was made for the net of run {saved.run}, "
            text += with_keys("which you can restore in the history ({open-history}).")
        question = Question(text, "Continue", "Start a new plan", harmless=True)
        self.session.ask(question, partial(self._answer, saved))

    def _answer(self, saved: SavedPlan, accepted: bool) -> None:
        session, state, plan = self.session, self.state, dict(saved.sparsity)
        if accepted:
            state = replace(state.set_plan(plan), locked=frozenset(saved.locked))
            text = "last plan restored · {undo} to undo"
        else:
            left = replace(state.undo_point, plan=plan)
            state = replace(state, future=(*state.future, left))
            text = "new plan · {redo} to restore the last one"
        if isinstance(outcome := session.activity, Outcome):
            session.activity = replace(outcome, detail=f"{text} · {outcome.detail}")
        self.autosave.begin(state)
        session.show(state)
