"""Streams of events release what they hold, however they end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.events import Event, Notice, Stream, drain, relayed


def held(log: list[str]) -> Stream[int]:
    try:
        yield Notice("one")
        yield Notice("two")
        return 3
    finally:
        log.append("released")


def passed(event: Event) -> Iterator[Event]:
    yield event


def test_a_stream_whose_events_are_refused_is_closed_at_once() -> None:
    log: list[str] = []

    def refuse(event: Event) -> None:
        raise ZeroDivisionError

    stream = relayed(held(log), passed)
    with pytest.raises(ZeroDivisionError):
        drain(stream, refuse)
    assert log == ["released"]


def test_events_come_in_order_and_the_result_last() -> None:
    log: list[str] = []
    result = drain(relayed(held(log), passed), lambda event: log.append(getattr(event, "text", "")))
    assert (result, log) == (3, ["one", "two", "released"])
