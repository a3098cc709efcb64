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
from screenshots.cast import Cast, record
from screenshots.film import frames, retold

FOLDER = Path(__file__).parent
CAST, ANIMATION = FOLDER / "demo.cast", FOLDER / "demo.svg"
COLUMNS, ROWS = 112, 34
TITLE = "featherweight demo: a net is pruned to 37x fewer parameters, fine-tuned and exported"

POSTER, ENDED = "Back to", "That was the demo"
"""The beginnings of captions."""


def main() -> None:
    """Record and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--again", action="store_true")
    if not parser.parse_args().again:
        whole = _recorded()
        CAST.write_text(retold(frames(whole), whole).text(), encoding="utf-8")
    ANIMATION.write_text(drawn(Cast.of_text(CAST.read_text(encoding="utf-8"))), encoding="utf-8")
    print(f"{CAST.name}: {CAST.stat().st_size:,} bytes")
    print(f"{ANIMATION.name}: {ANIMATION.stat().st_size:,} bytes")


def drawn(cast: Cast) -> str:
    """The animation of a cast; its poster is the net that has recovered."""
    film = frames(cast)
    captions = ["".join(cells.text for cells in frame.rows[-1]) for frame in film]
    poster = next((index for index, text in enumerate(captions) if POSTER in text), -1)
    return animated(film, cast.columns, TITLE, poster)


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
