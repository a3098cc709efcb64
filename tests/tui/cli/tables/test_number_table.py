"""Tables in pipes, which are as wide as they need, and in terminals, where they fit."""

from __future__ import annotations

import os
import pty
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.tui.text.test_lines import PATHS
from tui.cli.number_table import NumberTable, terminal_width

NAMES = ("conv_proj", *(f"encoder.layers.encoder_layer_{at}.{name}" for at in range(12)
                        for name in ("self_attention.out_proj", "mlp.0", "mlp.3")))  # fmt: skip
NUMBERS = st.lists(st.integers(0, 10**12).map("{:,}".format), min_size=4, max_size=4)


def table_of(rows: list[tuple[str, ...]]) -> NumberTable:
    table = NumberTable("layer", "weights", "FLOPs", "kept", "act %")
    for row in rows:
        table.add_row(*row)
    return table


def lines(table: NumberTable, room: int | None) -> list[str]:
    return [line.plain for line in table.lines(room)]


def test_without_a_terminal_nothing_is_cut_and_there_is_no_color():
    rows = [(name, "102,760,448", "205,520,896", "1,234,567", "100.00") for name in NAMES]
    console = Console(file=StringIO(), width=80, soft_wrap=True)
    assert terminal_width(console) is None
    table_of(rows).print_to(console)
    printed = console.file.getvalue().splitlines()
    assert [tuple(line.split()) for line in printed[1:]] == rows
    assert len(set(map(len, printed))) == 1
    assert len(printed[0]) > 80


def test_the_terminals_width_counts_and_no_other():
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal, os.fdopen(leader), open(os.devnull, "w") as null:
        assert terminal_width(Console(file=terminal, width=60)) == 60
        assert terminal_width(Console(file=null, width=60, force_terminal=True)) is None


@given(st.lists(st.tuples(PATHS, NUMBERS), min_size=1, max_size=6), st.integers(20, 120))
def test_a_narrow_terminal_cuts_names_then_leaves_out_columns_but_never_cuts_a_number(
    rows: list[tuple[str, list[str]]], room: int
):
    table = table_of([(name, *numbers) for name, numbers in rows])
    head, *body = lines(table, room)
    shown = len(head.split()) - 1 - head.count("act %")
    if shown < 4:
        assert body.pop().startswith(f"not shown in {room} columns: ")
    assert [tuple(line.split()[1:]) for line in body] == [
        tuple(numbers[:shown]) for _, numbers in rows
    ]
    if shown:
        assert max(map(len, (head, *body))) <= max(room, 35)
    if table.fits(room):
        assert [line.split()[0] for line in body] == [name for name, _ in rows]


def test_cut_names_still_differ():
    table = table_of([(name, "102,760,448", "205,520,896", "1,234", "9.00") for name in NAMES])
    _, *body = lines(table, 60)
    assert len({line.split()[0] for line in body}) == len(NAMES)
    assert all("…" in line for line in body[1:])


def test_after_a_screenful_the_headings_come_again():
    rows = [(f"layer{at}", "1", "2", "3", "4") for at in range(200)]
    in_terminal, piped = lines(table_of(rows), 80), lines(table_of(rows), None)
    assert in_terminal[0] == in_terminal[-1]
    assert in_terminal[:-1] == piped


@pytest.mark.parametrize("room", [None, 80])
def test_what_is_left_out_can_be_chosen(room):
    table = table_of([("fc", "1", "2", "3", "4")])
    first_out = [line.plain for line in table.lines(room and 20, first_out=(2, 1))]
    assert "FLOPs" in first_out[0 if room is None else -1]


def test_the_last_column_of_numbers_stays_while_names_can_be_cut():
    names = ("g.weight_ih_l0_reverse", "g.weight_hh_l0_reverse", "total")
    head, *body, hidden = lines(table_of([(name, "1,024", "2", "3", "4") for name in names]), 20)
    assert head.split() == ["layer", "weights"]
    assert [line.split()[1] for line in body] == ["1,024"] * 3
    assert max(map(len, (head, *body))) == 20
    assert hidden == "not shown in 20 columns: FLOPs, kept, act %"
