"""Fuzz the decoder of compact files: `python -m tests.fuzz.codec --minutes 10`.

Mutates valid files (bits, bytes, cuts, splices), mostly with a corrected checksum, so that the
decoder behind it is reached. Decoding may only raise InputError, within seconds and limited memory;
a file that decodes must encode and decode again. Files that break this are saved in FOLDER.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
import traceback
from hashlib import blake2b
from pathlib import Path

import numpy as np

from core.errors import InputError
from core.formats.codec import Codebook, CompactFile, Entry, Raw, Steps, Tied, decode, encode
from core.formats.codec.compact import DTYPES, Values
from core.formats.codec.container import DIGEST
from core.formats.codec.zoo_shapes import LAYOUTS

MEMORY = 3 << 30
"""Limit on address space in bytes, most of which the libraries take."""

SLOW = 5.0
"""Seconds a file of a few KB may take at most."""


def main() -> int:
    """Fuzz for a while; returns 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.codec", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", metavar="FOLDER", type=Path, default=Path("findings"))
    args = parser.parse_args()
    rng = random.Random(args.seed)
    files = [encode(file) for file in samples(rng)]
    for data in files:
        decode(data)  # compiles before memory is limited
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    end, tried, refused, found = time.monotonic() + 60 * args.minutes, 0, 0, 0
    slowest = 0.0
    while time.monotonic() < end:
        data = mutated(rng, files)
        start = time.monotonic()
        try:
            refused += not survives(data)
        except BaseException:
            found += 1
            save(args.findings, data, traceback.format_exc())
        took = time.monotonic() - start
        slowest = max(slowest, took)
        if took > SLOW:
            found += 1
            save(args.findings, data, f"it took {took:.1f} s\n")
        tried += 1
    print(f"{tried} files, {refused} refused, {found} found, the slowest took {slowest:.2f} s")
    return 1 if found else 0


def survives(data: bytes) -> bool:
    """Whether a file decodes; if so, check that it survives a round trip."""
    try:
        file = decode(data)
    except InputError:
        return False
    again = encode(file)
    assert encode(decode(again)) == again
    return True


def samples(rng: random.Random) -> list[CompactFile]:
    """Files of every kind: all types, codebooks, steps, ties, layouts, ordered masks."""
    nets = [_own(rng, kind) for kind in range(8)]
    layout = LAYOUTS[0]
    entries = tuple(Entry(name, shape, _values(rng, shape, 1)) for name, shape in layout.shapes)
    return [*nets, CompactFile(layout.model, entries, {"dataset": "mnist"})]


def _own(rng: random.Random, kind: int) -> CompactFile:
    shapes = [(6, 1, 3, 3), (6,), (8, 6, 3, 3), (8,), (12, 72), (12,), (4, 12), (4,), (), (0, 3)]
    entries = [
        Entry(f"layer{i // 2}.{'bias' if i % 2 else 'weight'}", shape, _values(rng, shape, kind))
        for i, shape in enumerate(shapes)
    ]
    entries.append(Entry("tied", shapes[2], Tied(entries[2].name)))
    return CompactFile("", tuple(entries), {"dataset": "mnist", "ratio": kind})


def _values(rng: random.Random, shape: tuple[int, ...], kind: int) -> Values:
    draw = np.random.default_rng(rng.getrandbits(32))
    mask = draw.random(shape) < rng.choice([0.02, 0.1, 0.5, 1.0])
    if kind % 3 == 0:
        codes = np.where(mask, draw.integers(1, 6, shape), 0).astype(np.int16)
        if codes.ndim > 1 and codes.size:
            rows = sorted(codes.reshape(len(codes), -1), key=lambda row: tuple(row != 0))
            codes = np.array(rows[::-1], np.int16).reshape(shape)
        return Codebook("bfloat16", np.array([-2, -1, 0.5, 1, 4], np.float32), codes)
    if kind % 3 == 1:
        return Steps(0.5, np.where(mask, draw.integers(-20, 21, shape), 0).astype(np.int32))
    name = rng.choice(sorted(DTYPES))
    most = 1 if name == "bool" else 2 ** min(DTYPES[name].bits, 62) - 1
    words = np.where(mask, draw.integers(0, most, shape, endpoint=True), 0)
    return Raw(name, words.astype(DTYPES[name].words))


def mutated(rng: random.Random, files: list[bytes]) -> bytes:
    """A random mutation of one of the files."""
    data = bytearray(rng.choice(files)[:-DIGEST])
    for _ in range(rng.choice([1, 1, 1, 2, 5, 20])):
        at = rng.randrange(len(data)) if data else 0
        early = min(at, rng.randrange(4, 64))
        match rng.randrange(8):
            case 0 | 1 if data:
                data[early] ^= 1 << rng.randrange(8)
            case 2 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 3:
                del data[at:]
            case 4:
                del data[at : at + rng.randrange(1, 9)]
            case 5:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 6:
                other = rng.choice(files)
                cut = rng.randrange(len(other))
                data[at:] = other[cut:]
            case _:
                data[early : early + 8] = bytes([rng.choice([0, 255])]) * 8
    if rng.random() < 0.05:
        return bytes(data) + rng.randbytes(DIGEST)
    data[:4] = files[0][:4]
    return bytes(data) + blake2b(bytes(data), digest_size=DIGEST).digest()


def save(folder: Path, data: bytes, why: str) -> None:
    """Save a file and what is wrong with it."""
    folder.mkdir(parents=True, exist_ok=True)
    name = blake2b(data, digest_size=6).hexdigest()
    (folder / f"{name}.fw").write_bytes(data)
    (folder / f"{name}.txt").write_text(why, encoding="utf-8")
    print(f"found {folder / name}.fw: {why.splitlines()[-1]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
