"""The errors this library raises on purpose."""


class InputError(ValueError):
    """Bad input; the message says what was given, what was expected and how to fix it.

    The command line prints the message on one line and exits with status 2.
    """


class WorkError(RuntimeError):
    """An operation failed although its input was good.

    The command line prints the message on one line and exits with status 1.
    """


class StoppedError(WorkError):
    """The operation was stopped before it had a result worth keeping.

    The command line exits with status 130.
    """


class WriteError(InputError):
    """A file could not be written, although its place looked writable: a disk that is full, say.

    The command line exits with status 1.
    """
