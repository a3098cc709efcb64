"""Whether this program is drawn in a browser."""

import os


def is_served() -> bool:
    """Whether textual-serve has started this program; Textual then draws through a pipe."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver:")
