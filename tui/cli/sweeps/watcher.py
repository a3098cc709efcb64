"""Watches a sweep in the terminal: the live table, and the keys that stop trials or leave."""

from __future__ import annotations

from time import monotonic

from rich.console import Console, Group
from rich.live import Live

from core.events import Event, StopFlag, Stream, drain, never
from core.sweep.live.events import CaughtUp, SweepBegan, SweepResult
from core.sweep.live.folder import SweepFolder
from tui.cli.number_table import terminal_width
from tui.cli.sweeps.board import front_text, lines
from tui.cli.sweeps.keys import Keys
from tui.cli.sweeps.printing import print_sweep_event
from tui.state.sweep.board import Board
from tui.system.job_control import releasing

DRAWN = 4
"""Times a second that the table is drawn."""


class Watcher:
    """Shows a sweep that another process runs.

    Args:
        is_new: whether it starts just now: of one that is found again, only what happens from
            here on is printed.

    Attributes:
        leaves: a flag that leaves the sweep alone, as a key does.
    """

    def __init__(self, folder: SweepFolder, *, is_new: bool) -> None:
        self._folder, self._prints = folder, is_new
        self._board = Board()
        self._front: tuple[object, str] = None, ""
        self.keys = Keys(self.press)
        self.leaves: StopFlag = never

    def pause(self, seconds: float) -> bool:
        """Wait for keys for at most so many seconds; returns whether to leave the sweep alone."""
        return self.keys.pause(seconds) or self.leaves()

    def drive(self, stream: Stream[SweepResult | None], console: Console) -> SweepResult | None:
        """Show a sweep until it ends or is left; without a terminal, print what a log should keep.

        Returns None if it was left.
        """
        if not console.is_terminal:
            return drain(stream, lambda event: self._print(event, console, live=False))

        def shown() -> Group:
            width = terminal_width(console)
            board, front, keys = self._board, self._front_so_far(), self.keys.listens
            rows = lines(board, width, console.height, monotonic(), front=front, keys=keys)
            return Group(*rows)

        def update(event: Event) -> None:
            self._board = self._board.after(event, monotonic())
            self._print(event, console, live=True)

        def release() -> None:
            live.stop()
            self.keys.release()

        def take() -> None:
            self.keys.take()
            live.start()

        live = Live(get_renderable=shown, console=console, transient=True, refresh_per_second=DRAWN)
        with self.keys.listening(), live, releasing(release, take):
            return drain(stream, update)

    def _front_so_far(self) -> str:
        """The Pareto front, computed again once another trial has ended."""
        if self._front[0] is not self._board.outcomes:
            self._front = self._board.outcomes, front_text(self._board)
        return self._front[1]

    def _print(self, event: Event, console: Console, *, live: bool) -> None:
        if isinstance(event, CaughtUp):
            self._prints = True
        elif isinstance(event, SweepBegan) and not self._prints:
            console.print(event.command)  # of a sweep found again, which it is
        elif self._prints:
            print_sweep_event(event, console, live=live)

    def press(self, key: str) -> bool:
        """Act on a key; returns whether it leaves the sweep alone."""
        match key:
            case "up" | "k":
                self._board = self._board.select_active(-1)
            case "down" | "j":
                self._board = self._board.select_active(1)
            case "x" if (chosen := self._board.chosen) is not None:
                self._folder.stop(chosen.trial.number)
            case "d":
                return True
        return False
