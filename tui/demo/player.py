"""Plays a script: shows each caption, acts, waits for the real program, and rests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from tui.demo.script import Condition, Step

TICK = 0.02
"""Seconds between two looks at the program."""


class Stage(Protocol):
    """What a script is played on."""

    def say(self, caption: str) -> None:
        """Show a caption."""

    async def act(self, name: str) -> bool:
        """Do one thing, as a key would; returns whether that was possible."""

    def reached(self, condition: Condition) -> bool:
        """Whether a condition holds."""

    @property
    def failed(self) -> bool:
        """Whether the program reports an error."""


class Player:
    """Plays a script once.

    Args:
        pace: how many times faster than a room can follow; infinity rests nowhere.
        sleep: waits for some seconds.

    Attributes:
        paused: while it is set nothing happens; jobs that are running go on.
    """

    def __init__(
        self,
        stage: Stage,
        script: Sequence[Step],
        pace: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.paused = False
        self._stage, self._script, self._pace, self._sleep = stage, script, pace, sleep

    async def play(self) -> bool:
        """Play every step; returns False if one was not possible or led to an error."""
        for step in self._script:
            if not await self._play(step):
                return False
        return True

    async def _play(self, step: Step) -> bool:
        stage = self._stage
        if step.caption:
            stage.say(step.caption)
        await self._rest(step.before)
        for number, name in enumerate(step.does):
            await self._rest(step.between if number else 0)
            if not await stage.act(name):
                return False
        while not stage.reached(step.until):
            if stage.failed:
                return False
            await self._sleep(TICK)
        await self._rest(step.after)
        return not stage.failed

    async def _rest(self, seconds: float) -> None:
        left = seconds / self._pace
        while self.paused or left > 0:
            pause = TICK if self.paused else min(TICK, left)
            await self._sleep(pause)
            left -= 0 if self.paused else pause
