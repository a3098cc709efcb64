"""Notices that workers have in common come once."""

from __future__ import annotations

from core.events import Event, Notice, Progress
from core.executors.events import Notices, TrialLabel, TrialReported

FIRST, SECOND = TrialLabel(1, "10x lamp", 0), TrialLabel(2, "20x lamp", 0)


def test_a_notice_comes_once_unless_a_result_is_lost() -> None:
    few, lost = Notice("few images"), Notice("no space left", lost=True)
    events: list[tuple[Event, bool]] = [
        (TrialReported(FIRST, few), True),
        (TrialReported(SECOND, few), False),
        (few, False),
        (TrialReported(FIRST, lost), True),
        (TrialReported(SECOND, lost), True),
        (Progress("scanning"), True),
        (Progress("scanning"), True),
    ]
    notices = Notices()
    assert [notices.is_news(event) for event, _ in events] == [is_news for _, is_news in events]
