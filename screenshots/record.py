"""Record the demo, for README: the cast that asciinema plays, and an animated SVG of it.

python -m screenshots.record            # plays the demo, two to three minutes
python -m screenshots.record --again    # only draws the recorded cast again
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from screenshots.animation import animated
from screenshots.cast import Cast, record, write
from screenshots.film import frames

FOLDER = Path(__file__).parent
CAST, ANIMATION = FOLDER / "demo.cast", FOLDER / "demo.svg"
COLUMNS, ROWS = 112, 34
TITLE = "featherweight demo: a net is pruned to 37 times smaller, fine-tuned and exported"

ENDED = "That was the demo"


def main() -> None:
    """Record and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true")
    if not parser.parse_args().again:
        write(_recorded(), CAST)
    cast = Cast.of_text(CAST.read_text(encoding="utf-8"))
    ANIMATION.write_text(animated(frames(cast), cast.columns, TITLE), encoding="utf-8")
    print(f"{CAST.name}: {CAST.stat().st_size:,} bytes")
    print(f"{ANIMATION.name}: {ANIMATION.stat().st_size:,} bytes")


def _recorded() -> Cast:
    """The demo from its first frame to its last caption."""
    command = (str(Path(sys.executable).with_name("featherweight")), "demo")
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "XDG_STATE_HOME": state, "TMPDIR": state}
        environment.pop("NO_COLOR", None)
        return record(command, COLUMNS, ROWS, TITLE, environment, _quit)


def _quit(text: str) -> str:
    return "q" if ENDED in text else ""


if __name__ == "__main__":
    main()
