"""What each layer costs, for the columns of wide tables."""

from __future__ import annotations

from tests.tui.scripted_nets import AGGRESSIVE, net, scanned
from tui.state.state import State
from tui.views.panels.layer_facts import facts

STATE = State().with_dense(net()).with_scan(net().digest, scanned(5_000))


def test_a_drop_beyond_the_scan_is_at_least_the_last_one() -> None:
    """The scan ends at 95 %: of 98 % it knows only that the drop is no smaller."""
    plan = dict.fromkeys(AGGRESSIVE, 0.98)
    at_end, beyond = (
        facts(STATE.set_plan(dict.fromkeys(plan, sparsity)))[0].texts for sparsity in (0.95, 0.98)
    )
    assert all(float(text) > 0 for text in at_end)
    assert beyond == tuple(f">{text}" for text in at_end)


def test_the_next_step_is_unknown_beyond_the_scan() -> None:
    plans = (dict.fromkeys(AGGRESSIVE, sparsity) for sparsity in (0.90, 0.92))
    last, beyond = (facts(STATE.set_plan(plan))[1].texts for plan in plans)
    assert all(text.startswith("+") for text in last)
    assert set(beyond) == {"–"}
