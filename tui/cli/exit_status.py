"""The exit statuses of the command."""

DONE = 0
FAILED = 1
"""The work failed."""

BAD_INPUT = 2
"""Nothing was done: the input has to be corrected."""

INTERRUPTED = 130
"""Stopped by Ctrl+C or a stop signal, with or without a report."""
