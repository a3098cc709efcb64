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

from core.criteria.names import CRITERIA, CriterionName
from core.errors import InputError
from core.pruning.budgets.costs import NetCosts, Unit, parameter_costs
from core.pruning.goals import (
    ALLOCATIONS,
    DEFAULT_ALLOCATION,
    NANOSECONDS,
    NEEDING_SCAN,
    parse_goal,
)
from core.pruning.plans import Plan
from tui.keys.keymap import key_for, with_keys
from tui.screens.overlay import DIALOG_ROLES, Dialog
from tui.state.state import State
from tui.text.format import count, percent, plural
from tui.text.lines import Lines, Span, cut
from tui.widgets.inputs.line_input import SteadyInput
from tui.widgets.lines import LinesWidget

TOLERANCE = "tolerance"
METHODS = {**ALLOCATIONS, TOLERANCE: "each layer as sparse as the tolerance line allows"}

LONGEST = 100
"""Maximum characters of a goal."""

EXAMPLES = "60x · 6000 kept · 28 KiB · 25 % macs · 0.2 ms · 0.5 points (a search)"
ALTERNATIVE = ", or 0.5 points"
_RATIOS = (60, 30, 20, 10, 5, 2)
_QUICK = 500_000
"""The most parameters whose sparsities are worked out before the dialog opens."""

_POINTS = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*(points?|pts?)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GoalRequest:
    """A goal as entered.

    Attributes:
        text: as typed.
        method: how to allocate it to the layers.
        plan: the sparsities; None for the lightest net, or before the layers are timed.
        drop: allowed drop in validation accuracy for the lightest net, in points; None without one.
        times_layers: whether the layers have to be timed first.
        criterion: what ranks the weights; None for the recipe's.
        ranks: whether the weights have to be ranked first.
    """

    text: str = "60x"
    method: str = DEFAULT_ALLOCATION
    plan: Plan | None = None
    drop: float | None = None
    times_layers: bool = False
    criterion: CriterionName | None = None
    ranks: bool = False

    @property
    def title(self) -> str:
        """The result in words."""
        goal = "" if self.method == TOLERANCE else f"{self.text.strip()}: "
        return f"{goal}sparsities set by {self.method}"


class GoalDialog(Dialog[GoalRequest]):
    """Returns the entered goal; every key updates the preview."""

    HELP = """
    # A goal
    Say how light the net should be, and the method chooses a sparsity for each layer: 60x is a
    ratio, 6000 kept a number of weights, 28 KiB a size at 4 bytes for each weight. 25 % macs and
    1.2M macs are multiplications that remain, and 0.2 ms the time for one image on this machine,
    whose layers are timed first. 0.5 points finds the lightest net instead, step by step, each
    fine-tuned from the best before, whose validation accuracy stays within so many points of the
    dense net's. Locked layers stay as they are ({lock}). The arrow keys choose the method, Tab
    the criterion that ranks the weights, which becomes the recipe's, and the line below previews
    what they do.
    """

    COMPONENT_CLASSES = DIALOG_ROLES
    VERTICAL_BREAKPOINTS = [(0, "-compact"), (25, "-roomy")]  # as many rows as it has
    is_unfilled = True
    BINDINGS = [
        Binding("up", "move(-1)", "method above", priority=True),
        Binding("down", "move(1)", "method below", priority=True),
        Binding("tab", "rank(1)", "next criterion", priority=True),
        Binding("shift+tab", "rank(-1)", "previous criterion", priority=True),
    ]

    def __init__(self, state: State, request: GoalRequest) -> None:
        super().__init__()
        self._state = state
        self._request = replace(request, plan=None, drop=None)
        self._problem = ""

    def compose(self) -> ComposeResult:
        """A line for the goal, the methods, and a preview."""
        with Vertical(classes="dialog dialog--wide"):
            yield Label("Set a goal", classes="dialog--title")
            with Horizontal(id="goal-line"):
                yield Label("goal: ")
                yield SteadyInput(self._request.text, id="goal", compact=True, max_length=LONGEST)
            yield Label(EXAMPLES, classes="dialog--hint dialog--close")
            yield LinesWidget(id="methods")
            yield LinesWidget(id="preview")
            hint = "↑↓ method · Tab criterion · Enter apply · Esc cancel"
            yield Label(hint, classes="dialog--hint")

    def on_resize(self) -> None:
        """Fit the lines to the width."""
        self.fill_by(self._update)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Update the preview."""
        event.stop()
        self._request = replace(self._request, text=event.value)
        self._update()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the sparsities, or with the allowed drop."""
        event.stop()
        await self._settle()
        if not self._problem:
            self.dismiss(self._request)

    def action_move(self, steps: int) -> None:
        """Choose another method."""
        names = tuple(METHODS)
        place = min(max(names.index(self._request.method) + steps, 0), len(names) - 1)
        self._request = replace(self._request, method=names[place])
        self._update()

    def action_rank(self, steps: int) -> None:
        """Choose another criterion."""
        names = tuple(CRITERIA)
        place = names.index(criterion_of(self._request, self._state)) + steps
        self._request = replace(self._request, criterion=names[place % len(names)])
        self._update()

    def _update(self) -> None:
        if self.is_pushed:
            self._show()
            _: Worker[None] = self.run_worker(self._settle, exclusive=True)

    async def _settle(self) -> None:
        """Compute the sparsities in a thread: a large net takes too long for a key press."""
        request, drop, plan, problem, times = self._request, None, None, "", False
        state = with_criterion(self._state, request)
        ranks = state.base is not None and state.rankings.lack(state.base, state.order)
        try:
            drop = drop_of(request, state)
            times = drop is None and needs_times(request, state)
            if drop is None and not times and not ranks:
                plan = await asyncio.to_thread(plan_of, request, state)
        except InputError as error:
            problem = str(error)
        if _choices(request) == _choices(self._request):
            settled = replace(self._request, plan=plan, drop=drop, times_layers=times)
            self._request = replace(settled, ranks=ranks)
            self._problem = problem
            self._show()

    def _show(self) -> None:
        if not self.is_pushed:
            return
        methods = self.query_one("#methods", LinesWidget)
        preview = self.query_one("#preview", LinesWidget)
        width = methods.size.width
        methods.styles.height = len(METHODS)
        methods.lines = method_lines(self._request.method, width)
        criterion = criterion_of(self._request, self._state)
        title = f"Set a goal · weights ranked by {criterion}"
        self.query_one(".dialog--title", Label).update(title)
        preview.styles.height = 3
        with preview.drawing():
            state = with_criterion(self._state, self._request)
            preview.lines = preview_lines(self._request, self._problem, state, width)


def criterion_of(request: GoalRequest, state: State) -> CriterionName:
    """The criterion of a goal; the recipe's if it names none."""
    recipes = next(name for name in CRITERIA if name == state.recipe.criterion)
    return request.criterion or recipes


def with_criterion(state: State, request: GoalRequest) -> State:
    """The state with the criterion of a goal in its recipe."""
    if criterion_of(request, state) == state.recipe.criterion:
        return state
    changes = replace(state.settings.changes, criterion=request.criterion)
    return replace(state, settings=replace(state.settings, changes=changes))


def _choices(request: GoalRequest) -> tuple[str, str, str | None]:
    return request.text, request.method, request.criterion


def suggested(state: State) -> GoalRequest:
    """The highest of a few ratios that leaves weights in every layer; the lowest if none does."""
    base, request = state.base, GoalRequest()
    if base is None or state.footprint.parameters > _QUICK:
        return request
    for ratio in _RATIOS:
        request = GoalRequest(f"{ratio}x")
        try:
            plan = plan_of(request, state)
        except InputError:
            continue
        whole = (profile for profile in state.profiles if profile.nonzero)
        if all(profile.what_if(plan[profile.layer.name]).kept for profile in whole):
            break
    return request


def drop_of(request: GoalRequest, state: State) -> float | None:
    """The accuracy drop the lightest net is allowed, in points; None if the goal is not a drop.

    Raises:
        InputError: more than 100 points, or the method needs a scan.
    """
    match = _POINTS.fullmatch(request.text)
    if match is None or request.method == TOLERANCE:
        return None
    _check_scan(request, state)
    drop = float(match[1])
    if drop > 100:
        raise InputError(f"a drop of {drop:g} points: expected 0 to 100")
    return drop


def needs_times(request: GoalRequest, state: State) -> bool:
    """Whether a goal needs the layers' times, which are not known yet.

    Raises:
        InputError: the goal cannot be read, or the method needs a scan.
    """
    if request.method == TOLERANCE:
        return False
    _check_scan(request, state)
    unit = parse_goal(request.text, ALTERNATIVE).unit
    return unit == "ns" and state.base is not None and unit not in state.costs


def plan_of(request: GoalRequest, state: State) -> Plan:
    """The sparsities that meet a goal; slow on a large net.

    Raises:
        InputError: the goal cannot be read or reached, or the method needs a scan.
    """
    from core.pruning.allocation import allocate, plan_for_tolerance  # late: loads NumPy

    base = state.base
    if base is None:
        raise InputError("the net is still loading")
    _check_scan(request, state)
    scan, dense = state.base_scan, base.accuracy.validation
    if scan is not None and request.method == TOLERANCE:
        return plan_for_tolerance(state.profiles, scan, dense, state.tolerance, state.locks)
    goal = parse_goal(request.text, ALTERNATIVE)
    costs = costs_in(goal.unit, state)
    return allocate(
        request.method,
        state.profiles,
        goal.budget(round(costs.dense)),
        costs,
        locked=state.locks,
        scan=scan,
        dense=dense,
    )


def costs_in(unit: Unit, state: State) -> NetCosts:
    """What the net costs; raises InputError if that is not known."""
    if unit == "parameters":
        layers = [profile.layer for profile in state.profiles]
        return parameter_costs(layers, state.footprint.parameters)
    if unit not in state.costs:
        raise InputError("the multiplications of this net could not be counted")
    return state.costs[unit]


def cost_texts(state: State) -> tuple[str, ...]:
    """What the plan costs in multiplications and in time, as far as that is known."""
    pairs = zip(state.profiles, state.what_ifs, strict=True)
    kept = {profile.layer.name: what_if.kept for profile, what_if in pairs}
    macs, time = (state.costs.get(unit) for unit in ("macs", "ns"))
    texts = []
    if macs and macs.dense:
        texts.append(f"{100 * macs.of(kept) / macs.dense:.1f} % macs")
    if time:
        texts.append(f"{time.of(kept) / NANOSECONDS:.3g} ms")
    return tuple(texts)


def _check_scan(request: GoalRequest, state: State) -> None:
    """Raise InputError if the method needs a scan that the base does not have."""
    if request.method in (*NEEDING_SCAN, TOLERANCE) and state.base_scan is None:
        raise InputError(f"'{request.method}' needs a scan: press Esc, then {key_for('scan')}")


def method_lines(chosen: str, width: int) -> Lines:
    """A line for each method, with its meaning."""
    return tuple(
        (
            Span("▶ " if name == chosen else "  ", "chosen"),
            Span(name.ljust(13), "chosen" if name == chosen else "plain"),
            Span(cut(meaning, max(0, width - 15)), "muted"),
        )
        for name, meaning in METHODS.items()
    )


def preview_lines(request: GoalRequest, problem: str, state: State, width: int) -> Lines:
    """A preview of the goal's result, or why it cannot be reached."""
    if problem:
        lines = [*wrap(problem, max(width, 10)), ""][:2]
        return ((), *((Span(cut(line, width), "error"),) for line in lines))
    if request.drop is not None:
        dense = state.dense.accuracy.validation if state.dense else 0.0
        least = percent(dense - request.drop)
        text = f"lightest net with at least {least} % on validation, by {request.method}"
        how = with_keys("Enter: each trial fine-tunes from the best so far; {stop} to stop")
        return ((), (Span(cut(text, width), "kept"),), (Span(how, "muted"),))
    if request.ranks:
        text = f"Enter ranks the weights by {state.recipe.criterion} first; {{stop}} to stop"
        return ((), (Span(cut(with_keys(text), width), "kept"),), ())
    if request.times_layers:
        text = "Enter times the layers on this machine first; {stop} to stop"
        return ((), (Span(cut(with_keys(text), width), "kept"),), ())
    if request.plan is None:
        return ((), (Span("…", "muted"),), ())
    planned = replace(state, plan=request.plan)
    # A no-break space keeps a layer and its sparsity on one line.
    pairs = "  ".join(f"{name}\xa0{100 * s:.1f}" for name, s in planned.planned.items())
    shares = wrap(pairs, max(width, 10), max_lines=2, placeholder=" …")
    cost = planned.footprint
    text = f"{count(cost.nonzero)} of {count(cost.parameters)} kept, {cost.ratio:.2f}x"
    empty = sum(what_if.kept == 0 for what_if in planned.what_ifs)
    warning = f" · removes {plural(empty, 'whole layer')}" if empty else ""
    room = max(0, width - len(text))
    costs = ""
    for each in cost_texts(planned):
        longer = f"{costs} · {each}"
        costs = longer if len(longer) + len(warning) <= room else costs
    kept = (
        Span(cut(text + costs, width), "kept"),
        Span(cut(warning, max(0, room - len(costs))), "warning"),
    )
    above: Lines = tuple((Span(line.replace("\xa0", " "), "plain"),) for line in shares)
    return (*((),) * (2 - len(above)), *above, kept)
