"""Streams side by side, in one thread: while one waits for a worker, another goes on."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TypeVar

from core.events import Event, Stream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    """A stream cannot go on before workers have said more."""


WAITING = Waiting()


def side_by_side(streams: Sequence[Stream[T]], at_once: int | None = None) -> Stream[list[T]]:
    """Run streams side by side, at most `at_once`; returns their results in their order.

    Yields `WAITING` when all of them wait. An error in one closes the others.

    Example:
        >>> from core.events import Notice, drain
        >>> def stream(name):
        ...     yield WAITING
        ...     yield Notice(name)
        ...     return name
        >>> both = side_by_side([stream("a"), stream("b")])
        >>> drain(both, lambda event: print(type(event).__name__))
        Waiting
        Notice
        Notice
        ['a', 'b']
    """
    results: dict[int, T] = {}
    with ExitStack() as stack:
        for stream in streams:
            stack.enter_context(closing(stream))
        while len(results) < len(streams):
            running = [place for place in range(len(streams)) if place not in results][:at_once]
            waits = True
            for place in running:
                while True:
                    try:
                        event = next(streams[place])
                    except StopIteration as end:
                        results[place] = end.value
                        waits = False
                        break
                    if isinstance(event, Waiting):
                        break
                    waits = False
                    yield event
            if waits:
                yield WAITING
    return [results[place] for place in range(len(streams))]
