"""The totals below the table: parameters kept, size and accuracy."""

from core.events import Accuracy
from core.nets.footprint import SIZE_NOTE
from tui.state.results import Result
from tui.state.state import State
from tui.text.format import count, mib, plural, ratio, score, score_on
from tui.text.lines import Line, Lines, Span, width_of

_COUNTED = (SIZE_NOTE, "4 bytes per nonzero", "4 B each")
"""What the sizes count, longest wording first."""


def totals(state: State, width: int) -> Lines:
    """Three lines: size, validation accuracies, test accuracies."""
    if state.base is None:
        return ()
    return (_size(state, width), _accuracies(state, "validation"), _accuracies(state, "test"))


def _size(state: State, width: int) -> Line:
    cost = state.footprint
    spans: Line = (
        Span("  kept ", "muted"),
        Span(count(cost.nonzero), "kept"),
        Span(f" of {count(cost.parameters)}", "plain"),
        Span(f"  {mib(cost.dense_bytes)} → ", "plain"),
        Span(f"{mib(cost.pruned_bytes)} MiB  ", "kept"),
        Span(f"{ratio(cost.ratio)}", "headline"),
    )
    counted = [(Span(f"  ({note})", "muted"),) for note in _COUNTED]
    for wordings in (_dead(state), counted):
        room = width - width_of(spans)
        spans += next((line for line in wordings if width_of(line) <= room), ())
    return spans


def _dead(state: State) -> tuple[Line, ...]:
    """The size without dead units, if it is known and there are any; longest wording first."""
    result = state.current
    if result is None or result.dead is None or not result.dead.total:
        return ()
    left = Span(f"  {count(result.footprint.without(result.dead).nonzero)}", "kept")
    units = plural(result.dead.total, "dead unit")
    return (
        (left, Span(f" without {units}", "muted")),
        (Span(f"  {units}", "muted"),),
        (Span(f"  {count(result.dead.total)} dead", "muted"),),
    )


def _accuracies(state: State, split: str) -> Line:
    dense = state.dense.accuracy if state.dense else None
    return (
        Span(f"  {split:<11}", "muted"),
        Span("dense ", "muted"),
        Span(_number(dense, split), "dense"),
        *(_estimate(state, split) or _result(state, "pruned", state.pruned, split)),
        *_result(state, "fine-tuned", state.finetuned, split),
    )


def _result(state: State, name: str, result: Result | None, split: str) -> Line:
    """A measured accuracy; dimmed, with its ratio or base, if it is of another plan."""
    if result is None:
        return (Span(f"   {name} ", "muted"), Span("  –  ", "muted"))
    number = _number(result.accuracy, split)
    if state.is_current(result):
        return (Span(f"   {name} ", "muted"), Span(number, name.replace("-", "")))
    of = f"at {ratio(result.footprint.ratio)}" if result.base is state.base else "(old base)"
    return (Span(f"   {name} {number} {of}", "muted"),)


def _estimate(state: State, split: str) -> Line:
    """The background accuracy, before it the scan's forecast; until `p` has measured the plan."""
    if split != "validation" or state.is_current(state.pruned):
        return ()
    if state.estimate is not None:
        sample, role = state.estimate.sample, "pruned"
        middle, half = sample.estimate
        text = (
            f"{score_on(middle, sample.images):>5}" if sample.exact else f"{middle:.1f} ±{half:.1f}"
        )
    elif state.forecast is not None:
        text, role = f"about {state.forecast:.0f}?", "hint"
    else:
        return ()
    return (Span("   pruned ", "muted"), Span(text, role))


def _number(accuracy: Accuracy | None, split: str) -> str:
    return f"{score(accuracy, split):>5}" if accuracy else "  –  "
