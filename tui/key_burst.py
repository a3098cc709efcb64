"""Tells a text that arrives as single keys, pasted or piped, from keys that a person presses."""

from __future__ import annotations

from collections import deque

from textual.events import Key

MOST, WITHIN = 100, 0.2
"""More keys than these in so many seconds are a text; what waited in a slow connection is less."""

GAP = 0.05
"""Seconds without a key after which the text is over."""


class KeyBurst:
    """The keys that came last, and what of them is a text."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST)
        self._text: list[str] = []
        self._inside = False

    def takes(self, key: Key) -> bool:
        """Whether a key belongs to a text, and is to do nothing by itself."""
        times = self._times
        gone_on = bool(times) and key.time - times[-1] < GAP
        begun = len(times) == MOST and key.time - times[0] < WITHIN
        self._inside = begun or (self._inside and gone_on)
        times.append(key.time)
        if self._inside:
            self._text.append(key.character or "")
        return self._inside

    def text(self) -> str:
        """What has come of the text, and has not been asked for yet."""
        text, self._text = "".join(self._text), []
        return text
