"""Requests to end the program."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tui.system.interruption import SIGPIPE, Interruption

TERM, HUP = signal.SIGTERM, signal.SIGHUP


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    with Interruption() as listening:
        yield listening


@pytest.mark.parametrize(
    ("number", "status", "said"),
    [(signal.SIGINT, 130, "interrupted"), (TERM, 143, "terminated"), (HUP, 129, "hung up")],
)
def test_a_signal_ends_the_program_with_its_status(
    number: int, status: int, said: str, interruption: Interruption
) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert (interruption.status, interruption.reason) == (status, said)


def test_a_job_ends_by_itself_at_the_first_signal_and_at_once_at_the_second(
    interruption: Interruption,
) -> None:
    answers: list[str] = []
    first, then = lambda: answers.append("first"), lambda: answers.append("then")
    with interruption.deferred(first, then) as stop:
        assert not stop()
        signal.raise_signal(TERM)
        assert stop()
        signal.raise_signal(signal.SIGINT)
    assert answers == ["first", "then"]
    assert interruption.status == 143
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(HUP)


def test_a_reader_that_has_left_stops_a_job_in_silence(interruption: Interruption) -> None:
    with interruption.deferred(lambda: None, lambda: None) as stop:
        interruption.request(SIGPIPE)
        assert stop()
    assert (interruption.status, interruption.reason) == (141, "interrupted")


def test_nohup_goes_on_ignoring_a_closed_terminal() -> None:
    before = signal.signal(HUP, signal.SIG_IGN)
    try:
        with Interruption():
            signal.raise_signal(HUP)
            assert signal.getsignal(HUP) == signal.SIG_IGN
    finally:
        signal.signal(HUP, before)


def test_the_signals_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, TERM, HUP)]
    with Interruption():
        assert signal.getsignal(TERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, TERM, HUP)] == before
