"""Text that arrives as single keys triggers no action."""

from __future__ import annotations

from types import SimpleNamespace

from textual.events import Blur, Key

from tui.system.key_burst import GAP, KEYS, WITHIN, KeyBurst


def pressed(burst: KeyBurst, seconds: list[float]) -> list[bool]:
    keys = [Key("a", "a") for _ in seconds]
    for key, time in zip(keys, seconds, strict=True):
        key.time = time
    return [burst.takes(key) for key in keys]


def burst() -> tuple[KeyBurst, list[str]]:
    notices: list[str] = []
    timer = SimpleNamespace(reset=lambda: None)
    app = SimpleNamespace(
        set_timer=lambda *_: timer,
        screen_stack=[None],
        focused=None,
        notify=lambda text, **_: notices.append(text),
    )
    return KeyBurst(app), notices


def test_keys_pressed_by_a_person_are_no_burst() -> None:
    keys, _ = burst()
    assert not any(pressed(keys, [0.03 * place for place in range(3 * KEYS)]))
    assert not keys.takes(Blur())


def test_a_burst_ends_with_a_pause() -> None:
    keys, notices = burst()
    step = WITHIN / KEYS / 2
    taken = pressed(keys, [step * place for place in range(2 * KEYS)])
    assert (taken.index(True), all(taken[KEYS:])) == (KEYS, True)
    after = step * 2 * KEYS + 2 * GAP
    assert pressed(keys, [after]) == [False]
    keys._end()
    assert str(sum(taken)) in notices[0]
    assert keys.timer is None
