"""The errors this library raises on purpose, and the words for an unknown name."""

from collections.abc import Collection


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


ENDING = (KeyboardInterrupt, GeneratorExit)
"""What ends the program or a stream, whatever code it reaches: never an error of a user's net."""


MOST_LISTED = 16
"""The most names an error message lists; of more, it gives the closest."""


def expected_one_of(name: str, known: Collection[str], also: Collection[str] = ()) -> str:
    """The end of a message about an unknown name.

    Args:
        name: the unknown name.
        known: the names expected, listed if they are few.
        also: other names that would do, such as those of groups; only ever among the closest.

    Examples:
        >>> expected_one_of("conf2", ["conv1", "conv2"])
        "expected one of conv1, conv2; did you mean 'conv2'?"
    """
    from difflib import get_close_matches  # late: seldom needed

    names = {known_name.lower(): known_name for known_name in (*also, *known)}
    few = len(known) <= MOST_LISTED
    close = get_close_matches(name[:100].lower(), names, n=1 if few else 3)
    listed = ", ".join(known) if few else f"{len(known):,} names"
    hint = ", ".join(f"'{names[match]}'" for match in close)
    hint = " or ".join(hint.rsplit(", ", 1))
    return f"expected one of {listed}" + (f"; did you mean {hint}?" if hint else "")


def shortened(text: str) -> str:
    """A name cut to fit a message."""
    return text if len(text) <= 60 else f"{text[:57]}..."
