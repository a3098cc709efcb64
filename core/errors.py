"""The ways an operation of this library fails on purpose."""

from __future__ import annotations


class InputError(ValueError):
    """What was given cannot be used: says what was given, what was expected, how to mend it.

    The command line prints the message on one line and exits with status 2.
    """


class WorkError(RuntimeError):
    """An operation could not be carried through although its input was good.

    The command line prints the message on one line and exits with status 1.
    """


class StoppedError(WorkError):
    """The operation was asked to stop before there was a result worth keeping.

    The command line exits with status 130.
    """
