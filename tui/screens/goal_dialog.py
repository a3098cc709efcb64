"""The goal dialog: a goal, a method, and a preview of the sparsities."""

import asyncio
import re
from dataclasses import dataclass, replace
from textwrap import wrap

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label
from textual.worker import Worker

from core.errors import InputError
from core.pruning.goals import SENSITIVITY, parse_goal
from core.pruning.plans import Plan
from tui.screens.overlay import Dialog
from tui.state.state import State
from tui.text.format import count, percent
from tui.text.lines import Lines, Span, cut
from tui.widgets.lines import ROLE_CLASSES, LinesWidget

TOLERANCE = "tolerance"
OFFERED = {
    "lamp": "LAMP: keep what matters most within its layer",
    "magnitude": "one threshold for all layers",
    "erk": "small layers denser (Erdős-Rényi-Kernel)",
    SENSITIVITY: "the same accuracy drop for every layer, from the scan",
    "uniform": "the same sparsity for every layer",
    "han": "thresholds in proportion to the standard deviation",
    TOLERANCE: "each layer alone, down to the tolerance line",
}
"""The methods, most useful first."""

LONGEST = 100
"""Characters of a goal."""

ACCEPTED = "60x · 6000 kept · 28 KiB · 0.5 points: search by fine-tuning"
_POINTS = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(points?|pts?)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for.

    Attributes:
        text: the goal as it was typed.
        method: that shares it out.
        plan: the sparsities; None for a search.
        drop: points of validation accuracy that a search may lose; None where it is none.
    """

    text: str = "60x"
    method: str = "lamp"
    plan: Plan | None = None
    drop: float | None = None

    @property
    def title(self) -> str:
        """The goal in words."""
        return "each layer alone" if self.method == TOLERANCE else self.text.strip()


class GoalDialog(Dialog[Asked | None]):
    """Returns the goal that was entered; the preview is updated on every key."""

    COMPONENT_CLASSES = ROLE_CLASSES
    BINDINGS = [
        Binding("up", "move(-1)", "method above", priority=True),
        Binding("down", "move(1)", "method below", priority=True),
        Binding("escape", "leave", "leave"),
    ]

    def __init__(self, state: State, asked: Asked) -> None:
        super().__init__()
        self._state = state
        self._asked = replace(asked, plan=None, drop=None)
        self._problem = ""

    def compose(self) -> ComposeResult:
        """A line for the goal, the methods, and what comes of them."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label("Set a goal", classes="dialog--title")
            with Horizontal(id="goal-line"):
                yield Label("goal: ")
                yield Input(self._asked.text, id="goal", compact=True, max_length=LONGEST)
            yield Label(ACCEPTED, classes="dialog--hint dialog--close")
            yield LinesWidget(id="methods")
            yield LinesWidget(id="preview")
            yield Label("↑↓ method · Enter apply · Esc cancel", classes="dialog--hint")

    def on_mount(self) -> None:
        """A cursor that blinks would write to an idle terminal."""
        box = self.query_one(Input)
        box.cursor_blink = False
        box.focus()
        self.call_after_refresh(self._work_out)

    def on_resize(self) -> None:
        """Fit the lines to the new width."""
        self.call_after_refresh(self._show)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Update the preview."""
        event.stop()
        self._asked = replace(self._asked, text=event.value)
        self._work_out()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the sparsities, or with the search."""
        event.stop()
        await self._settle()
        if not self._problem:
            self.dismiss(self._asked)

    def action_move(self, steps: int) -> None:
        """Choose another method."""
        names = tuple(OFFERED)
        place = min(max(names.index(self._asked.method) + steps, 0), len(names) - 1)
        self._asked = replace(self._asked, method=names[place])
        self._work_out()

    def action_leave(self) -> None:
        """Cancel."""
        self.dismiss(None)

    def _work_out(self) -> None:
        if self.is_pushed:
            self._show()
            _: Worker[None] = self.run_worker(self._settle, exclusive=True)

    async def _settle(self) -> None:
        """Find the sparsities in a thread: on a large net that takes too long for a key."""
        asked = self._asked
        try:
            drop = drop_of(asked, self._state)
            plan = (
                None if drop is not None else await asyncio.to_thread(plan_of, asked, self._state)
            )
            problem = ""
        except InputError as error:
            drop, plan, problem = None, None, str(error)
        if (asked.text, asked.method) == (self._asked.text, self._asked.method):
            self._asked = replace(self._asked, plan=plan, drop=drop)
            self._problem = problem
            self._show()

    def _show(self) -> None:
        if not self.is_pushed:
            return
        methods, preview = (
            self.query_one(f"#{name}", LinesWidget) for name in ("methods", "preview")
        )
        width = methods.size.width
        methods.styles.height = len(OFFERED)
        methods.lines = method_lines(self._asked.method, width)
        preview.styles.height = 3
        with preview.drawing():
            preview.lines = preview_lines(self._asked, self._problem, self._state, width)


def drop_of(asked: Asked, state: State) -> float | None:
    """The points a search may lose; None if the goal is not an accuracy.

    Raises:
        InputError: there are not so many points, or the method needs a scan.
    """
    match = _POINTS.fullmatch(asked.text)
    if match is None or asked.method == TOLERANCE:
        return None
    if asked.method == SENSITIVITY and (state.scan is None or state.scan_is_stale):
        raise InputError(f"'{SENSITIVITY}' needs a scan: close this and press s")
    drop = float(match[1])
    if drop > 100:
        raise InputError(f"a drop of {drop:g} points: expected 0 to 100")
    return drop


def plan_of(asked: Asked, state: State) -> Plan:
    """The sparsities that meet a goal; slow on a large net.

    Raises:
        InputError: the goal cannot be read or reached, or the method needs a scan.
    """
    from core.pruning.allocation import allocate, plan_for_tolerance  # NumPy comes in beside torch

    base = state.base
    if base is None:
        raise InputError("the net is still loading")
    scan = None if state.scan_is_stale else state.scan
    dense = base.accuracy.validation
    if asked.method == TOLERANCE:
        if scan is None:
            raise InputError("'tolerance' needs a scan: close this and press s")
        return plan_for_tolerance(state.profiles, scan, dense, state.tolerance, state.locks)
    budget = parse_goal(asked.text, ", or 0.5 points").budget(state.footprint.parameters)
    return allocate(
        asked.method,
        state.profiles,
        budget,
        other_parameters=base.other_parameters,
        locked=state.locks,
        scan=scan,
        dense=dense,
    )


def method_lines(chosen: str, width: int) -> Lines:
    """A line for each method, with what it does."""
    return tuple(
        (
            Span("▶ " if name == chosen else "  ", "chosen"),
            Span(name.ljust(13), "chosen" if name == chosen else "plain"),
            Span(cut(meaning, max(0, width - 15)), "muted"),
        )
        for name, meaning in OFFERED.items()
    )


def preview_lines(asked: Asked, problem: str, state: State, width: int) -> Lines:
    """A preview of the goal's result, or why it cannot be reached."""
    if problem:
        lines = [*wrap(problem, max(width, 10)), ""][:2]
        return ((), *((Span(cut(line, width), "error"),) for line in lines))
    if asked.drop is not None:
        dense = state.dense.accuracy.validation if state.dense else 0.0
        least = percent(dense - asked.drop)
        text = f"smallest net with at least {least} % on validation, by {asked.method}"
        return (
            (),
            (Span(cut(text, width), "kept"),),
            (Span("a search: each trial is a fine-tuning; x stops it", "muted"),),
        )
    if asked.plan is None:
        return ((), (Span("…", "muted"),), ())
    planned = replace(state, plan=asked.plan)
    # What belongs together is not torn apart at the end of a line.
    pairs = "  ".join(f"{name}\xa0{100 * s:.1f}" for name, s in planned.planned.items())
    shares = wrap(pairs, max(width, 10), max_lines=2, placeholder=" …")
    cost = planned.footprint
    text = f"{count(cost.nonzero)} of {count(cost.parameters)} kept, {cost.ratio:.2f}x"
    above: Lines = tuple((Span(line.replace("\xa0", " "), "plain"),) for line in shares)
    return (*((),) * (2 - len(above)), *above, (Span(cut(text, width), "kept"),))
