"""The messages of the session: what was said, when, and how bad it is."""

from dataclasses import dataclass
from datetime import datetime

MOST = 500
"""Messages that are kept."""

MARKS = {"warning": "warning: ", "error": "error: "}


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `time` is the local time."""

    time: datetime
    text: str
    role: str


class Messages:
    """All messages, oldest first.

    Attributes:
        all: at most the last few hundred.
    """

    def __init__(self) -> None:
        self.all: list[Message] = []

    def add(self, text: str, role: str) -> None:
        """Add a message unless it repeats the last one."""
        if text and not (self.all and (self.all[-1].text, self.all[-1].role) == (text, role)):
            self.all = [*self.all[1 - MOST :], Message(datetime.now(), text, role)]

    @property
    def texts(self) -> list[str]:
        """Their texts alone."""
        return [message.text for message in self.all]
