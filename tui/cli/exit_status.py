"""The exit statuses of the command; 128 and its number if a signal ended it."""

DONE = 0
FAILED = 1
"""The work failed."""

BAD_INPUT = 2
"""Nothing was done: the input has to be corrected."""
