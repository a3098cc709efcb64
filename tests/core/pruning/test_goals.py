"""Goals: parsed, formatted, and converted to budgets."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.nets.footprint import Footprint
from core.pruning.goals import Goal, parse_goal


class TestGoals:
    @pytest.mark.parametrize(
        ("text", "goal"),
        [
            ("60x", Goal("ratio", 60)),
            ("60", Goal("ratio", 60)),
            (" 36.88 X ", Goal("ratio", 36.88)),
            ("6000 kept", Goal("kept", 6000)),
            ("6000kept", Goal("kept", 6000)),
            ("0.5 MiB", Goal("mib", 0.5)),
            ("28kib", Goal("mib", 28 / 1024)),
            ("1e3x", Goal("ratio", 1000)),
            ("25 % macs", Goal("macs_percent", 25)),
            ("12.5% MACs", Goal("macs_percent", 12.5)),
            ("1.2M macs", Goal("macs", 1_200_000)),
            ("300 k macs", Goal("macs", 300_000)),
            ("1e6macs", Goal("macs", 1_000_000)),
            ("0.2 ms", Goal("ms", 0.2)),
        ],
    )
    def test_ratios_sizes_and_counts_are_read(self, text: str, goal: Goal) -> None:
        assert parse_goal(text) == goal

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "light",
            "95%",
            "60 fold",
            "6,000 kept",
            "MiB",
            "5 MB",
            "x60",
            "6 0x",
            "25 % kept",
            "25 %",
            "% macs",
            "5T macs",
            "1.2M",
            "25 % ms",
        ],
    )
    def test_text_that_is_not_a_goal_is_refused(self, text: str) -> None:
        expected = f"'{re.escape(text)}': expected 60x, 6000 kept, 28 KiB, 0.5 MiB, 25 % macs, "
        with pytest.raises(InputError, match=expected):
            parse_goal(text)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0.5x", "at least 1"),
            ("1e999x", "at least 1"),
            ("-1 kept", "at least 0"),
            ("-1 KiB", "at least 0"),
            ("0.5 kept", "whole number"),
            ("101 % macs", "0 to 100 %"),
            ("nan% macs", "0 to 100 %"),
            ("-1M macs", "at least 0"),
            ("inf ms", "at least 0"),
        ],
    )
    def test_a_goal_out_of_range_is_quoted_as_typed(self, text: str, expected: str) -> None:
        with pytest.raises(InputError, match=f"'{re.escape(text)}': expected .*{expected}"):
            parse_goal(text)

    def test_a_goal_that_is_made_out_of_range_is_refused(self) -> None:
        with pytest.raises(InputError, match=r"goal '0\.5x': expected a number of at least 1"):
            Goal("ratio", 0.5)

    def test_a_size_larger_than_any_net_gives_a_budget(self) -> None:
        assert parse_goal("1e308 MiB").budget(100) > 10**15

    @given(
        st.builds(Goal, st.just("ratio"), st.floats(1, 1e300))
        | st.builds(Goal, st.just("kept"), st.integers(0, 10**9))
        | st.builds(Goal, st.sampled_from(["mib", "macs", "ms"]), st.floats(0, 1e300))
        | st.builds(Goal, st.just("macs_percent"), st.floats(0, 100))
    )
    def test_a_goal_survives_formatting_and_parsing(self, goal: Goal) -> None:
        assert parse_goal(str(goal)) == goal

    @given(st.floats(1, 1e6), st.integers(1, 10**9))
    def test_a_ratio_allows_the_most_parameters(self, ratio: float, parameters: int) -> None:
        budget = Goal("ratio", ratio).budget(parameters)
        assert Footprint(parameters, budget).ratio >= ratio
        assert budget == parameters or Footprint(parameters, budget + 1).ratio < ratio

    @given(st.floats(0, 1e4))
    def test_a_size_allows_as_many_parameters_as_fit(self, mib: float) -> None:
        budget = Goal("mib", mib).budget(10**9)
        assert Footprint(10**9, budget).pruned_bytes <= mib * 2**20
        assert Footprint(10**9, budget + 1).pruned_bytes > mib * 2**20

    def test_a_count_allows_that_many_parameters(self) -> None:
        assert Goal("kept", 6000).budget(228_010) == 6000

    @given(st.integers(0, 10**9))
    def test_a_time_allows_all_of_its_nanoseconds(self, nanoseconds: int) -> None:
        assert Goal("ms", nanoseconds / 1e6).budget(10**9) == nanoseconds

    def test_multiplications_and_time_are_budgets_of_their_own_units(self) -> None:
        goals = [Goal("macs_percent", 25), Goal("macs", 1_200_000), Goal("ms", 0.2)]
        assert [goal.unit for goal in goals] == ["macs", "macs", "ns"]
        assert [goal.budget(3_000_000) for goal in goals] == [750_000, 1_200_000, 200_000]


def test_goals_need_no_torch() -> None:
    """`test_architecture` has those that need no NumPy."""
    code = "import sys, core.pruning.allocation; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
