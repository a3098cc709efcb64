"""The trials of a cluster to stop. Loads no torch: the list has a process of its own."""

from __future__ import annotations

from concurrent.futures import Future
from time import monotonic
from typing import Any

LOOK = 1.0
"""Seconds between two looks at the list."""


class StopList:
    """The trials to stop: an actor, which workers ask."""

    def __init__(self) -> None:
        self._numbers = set[int]()

    def add(self, number: int) -> None:
        """Stop a trial."""
        self._numbers.add(number)

    def has(self, number: int) -> bool:
        """Whether to stop a trial."""
        return number in self._numbers


class ListedStop:
    """The stop flag of a trial on a node; never waits for an answer."""

    def __init__(self, stops: Any, number: int) -> None:
        self._stops, self._number = stops, number
        self._raised, self._looked = False, 0.0
        self._answer: Future[bool] = stops.has.remote(number).future()

    def __call__(self) -> bool:
        """Whether the list had the trial at the last look."""
        if self._raised or monotonic() - self._looked < LOOK or not self._answer.done():
            return self._raised
        self._looked = monotonic()
        self._raised = self._answer.exception() is None and self._answer.result()
        self._answer = self._stops.has.remote(self._number).future()
        return self._raised
