"""Token packets for benches of the phi unit: random rows over all formats, sizes and kinds of values.

Packets are made with `PacketLayout.encode`, so that the driver's way of making them has a second judge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log
from random import Random
from typing import Any, Final, final

import numpy as np
import numpy.typing as npt

from ebmhw.contract.phi_formats import BINS, FORMATS, NO_POSITION, XF_FRACTION_BITS, inverse_log2
from ebmhw.contract.phi_unit import INVERSE_LIMIT, JOB_BYTES
from sim.jobs import WORD, poked
from sim.phi_model import TOKEN, Entries, entry_bits, row_beats

Values = npt.NDArray[np.float64]

LOGIT_OF_A_BIN: Final = log(2)
"""Logits that differ by this lie a bin apart."""

CLIPPED_AT: Final = 2048.0
"""Logits of this magnitude and more are clipped."""

LONGEST: Final = 1 << 18
"""Entries of the longest row that `random_size` gives."""


@final
@dataclass(frozen=True)
class Token:
    """A row of logits as a packet has it.

    Attributes
    ----------
    entries : bits of the entries, uint16 or uint32 as the format has them
    format : code of the format
    inverse, partial, chosen, first_entry : as of the packet
    tail : bits of the entries beyond the last one in the last beat; 0 where there are more of them
    """

    entries: Entries = field(repr=False)
    format: int
    inverse: int
    partial: int = 0
    chosen: int = NO_POSITION
    first_entry: int = 0
    tail: Sequence[int] = ()

    @property
    def beats(self) -> int:
        """Beats of the row."""
        return row_beats(self.entries.size, self.format)

    def packet(self, job_id: int) -> bytes:
        """Return the packet that asks for it."""
        values: dict[str, Any] = {name: getattr(self, name) for name in ("inverse", "format", "partial", "chosen", "first_entry")}
        # A section of thousands of entries takes the layout seconds, and the row's bytes are what it would make of them.
        empty = TOKEN.encode({**values, "job_id": job_id, "entries": self.entries.size, "beat": []})
        head = poked(poked(empty, TOKEN, "beats", self.beats), TOKEN, "length", TOKEN.words({"beats": self.beats}))
        return head + row_bytes(self.entries, self.format, self.tail)


def row_bytes(entries: Entries, code: int, tail: Sequence[int] = ()) -> bytes:
    """Return entries as whole beats; ``tail`` follows the last of them, as far as its beat has room, then zeros."""
    width = entry_bits(code) // 8
    missing = -entries.size * width % JOB_BYTES // width
    filled = b"".join(value.to_bytes(width, "little") for value in tail[:missing])
    return entries.astype(f"<u{width}").tobytes() + filled.ljust(missing * width, b"\0")


def beats_of(packets: Sequence[bytes]) -> list[int]:
    """Return packets as beats of the job stream, 128 bits each."""
    whole = b"".join(packets)
    return [int.from_bytes(whole[at : at + JOB_BYTES], "little") for at in range(0, len(whole), JOB_BYTES)]


def rounded(values: Values, code: int) -> Entries:
    """Return the bits of values in a format, to nearest even; what is too large becomes infinite."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        if FORMATS[code] == "float16":
            return values.astype(np.float16).view(np.uint16)
        single = values.astype(np.float32).view(np.uint32)
    if FORMATS[code] == "float32":
        return single
    wide = single.astype(np.uint64)
    half = ((wide + 0x7FFF + (wide >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), half).astype(np.uint16)


# --- kinds of rows: values of so many entries


def normal(some: np.random.Generator, size: int) -> Values:
    """Logits as of a language model, more or less peaked."""
    return some.normal(some.uniform(-20, 20), some.choice([0.01, 0.5, 3, 10]), size)


def flat(some: np.random.Generator, size: int) -> Values:
    """Equal logits: the first of them is the largest."""
    return np.full(size, some.choice([0.0, -0.0, 1.5, -700.25, some.normal(0, 100)]))


def two_values(some: np.random.Generator, size: int) -> Values:
    """Two values, 0 of either sign among them: ties, and a second largest that is the largest."""
    low = some.normal(0, 3)
    return some.choice([[0.0, -0.0], [low, low + 0.25], [low, low + 30]][some.integers(3)], size)


def wide(some: np.random.Generator, size: int) -> Values:
    """Logits all over the range that is not clipped, and a little beyond."""
    return some.uniform(-CLIPPED_AT * 1.01, CLIPPED_AT * 1.01, size)


def clipped(some: np.random.Generator, size: int) -> Values:
    """Logits on both sides of where clipping begins, and huge ones, finite mask values among them."""
    near = some.choice([-1, 1], size) * (CLIPPED_AT + some.integers(-4, 5, size) * some.choice([2.0**-15, 2.0**-13, 0.5, 8.0], size))
    return np.where(some.random(size) < 0.2, some.choice([-1e30, 1e30, 65504.0, -65504.0, -3.4028234e38], size), near)


def tiny(some: np.random.Generator, size: int) -> Values:
    """Logits around the rounding of xf, and subnormal ones."""
    halves = some.integers(-9, 10, size) * 2.0 ** -(XF_FRACTION_BITS + 1)
    return np.where(some.random(size) < 0.5, halves, some.choice([-1, 1], size) * 2.0 ** some.uniform(-149, -10, size))


def bin_edges(some: np.random.Generator, size: int) -> Values:
    """Logits near where one bin ends and the next begins, over somewhat more bins than carry weight."""
    return (some.integers(-BINS - 3, 4, size) + some.integers(-2, 3, size) * 2.0**-10) * LOGIT_OF_A_BIN


def moving(some: np.random.Generator, size: int) -> Values:
    """Logits whose largest bin so far moves up, by one bin or by more than carry weight, now and then a low one between."""
    step = some.choice([0.1, 1, 2, 7, BINS - 1, BINS, BINS + 1, 3 * BINS])
    level = some.uniform(-2900, 2000) + step * (np.arange(size) // some.choice([1, 2, 5, 8, 16, 40]))
    below = np.where(some.random(size) < 0.4, some.uniform(0, 2.5 * BINS, size), 0)
    return np.clip(level - below, -2960, 2960) * LOGIT_OF_A_BIN


def falling(some: np.random.Generator, size: int) -> Values:
    """Logits that fall out of the window: the first counts, or all do."""
    return -some.choice([0.01, 0.3, 1, 30]) * np.arange(size, dtype=np.float64) + some.uniform(-100, 100)


def one_peak(some: np.random.Generator, size: int) -> Values:
    """One logit far above the others, about as far as the window reaches."""
    values = some.normal(0, 1, size)
    values[some.integers(size)] += (BINS + some.integers(-3, 4)) * LOGIT_OF_A_BIN
    return values


ROWS: Final[dict[str, Callable[[np.random.Generator, int], Values]]] = {
    row.__name__: row for row in (normal, flat, two_values, wide, clipped, tiny, bin_edges, moving, falling, one_peak)
}
"""Rows of finite logits, by name."""


def random_bits(some: np.random.Generator, size: int, code: int) -> Entries:
    """Return entries of random bits, every exponent as often as any other."""
    width = entry_bits(code)
    return some.integers(0, 1 << width, size, dtype=np.uint16 if width == 16 else np.uint32)


def with_specials(some: np.random.Generator, entries: Entries, code: int) -> Entries:
    """Return entries, a few, most or all of them replaced by infinities and NaN."""
    exponent = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000}[FORMATS[code]]
    sign = 1 << entry_bits(code) - 1
    quiet = exponent | (exponent & -exponent) >> 1
    kinds = [sign | exponent] * 4 + [exponent, quiet, sign | quiet, exponent | 1, sign | sign - 1]
    if some.random() < 0.5:
        kinds = kinds[:1]
    elif some.random() < 0.2:
        kinds = kinds[4:]
    share = some.choice([0.02, 0.3, 0.9, 1.0])
    return np.where(some.random(entries.size) < share, some.choice(np.array(kinds, dtype=entries.dtype), entries.size), entries)


def random_entries(random: Random, size: int, code: int, kind: str | None = None) -> Entries:
    """Return the entries of a row: of a kind of `ROWS`, "bits", or any where it is left out; with infinities and NaN now and then."""
    some = np.random.default_rng(random.getrandbits(64))
    kind = kind or random.choice([*ROWS, "bits"])
    entries = random_bits(some, size, code) if kind == "bits" else rounded(ROWS[kind](some, size), code)
    return with_specials(some, entries, code) if random.random() < 0.3 else entries


def random_size(random: Random, most: int = 64, often: float = 0.98) -> int:
    """Return a number of entries, 1 or more: up to ``most``, and up to `LONGEST` in the rest of the cases, short ones more often."""
    if random.random() < often:
        return random.randint(1, most)
    return min(LONGEST, round(2 ** random.uniform(6, LONGEST.bit_length())))


def random_token(random: Random, entries_max: int, most: int = 64, often: float = 1.0, kind: str | None = None) -> Token:
    """Return a good token that a unit has room for; sizes as of `random_size`, ``kind`` as of `random_entries`."""
    code = random.randrange(len(FORMATS))
    partial = random.choice([0, 0, 1])
    size = min(entries_max, max(1 if partial else 2, random_size(random, most, often)))
    room = entries_max - size
    first = 0
    if partial or random.random() < 0.1:
        first = random.choice([0, room, random.randint(0, room), *[min(room, size * random.randint(0, 3))] * 2])
    vocabulary = max(2, random.choice([size, size, size, 2, entries_max, random.randint(2, entries_max)]))
    inverse = random.choice([inverse_log2(vocabulary)] * 8 + [0, 1, INVERSE_LIMIT, random.randint(0, INVERSE_LIMIT)])
    if partial and random.random() < 0.5:
        # Nobody looks at it.
        inverse = random.choice([0, random.getrandbits(25), (1 << 25) - 1])
    entries = random_entries(random, size, code, kind)
    chosen = random.choice(
        [
            NO_POSITION,
            *(first + random.randrange(size) for _ in range(4)),
            first,
            first + size - 1,
            first + size,
            max(0, first - 1),
            random.randrange(entries_max),
            entries_max,
            random.getrandbits(32),
            WORD - 1,
        ]
    )
    tail = [random.getrandbits(entry_bits(code)) for _ in range(8)] if random.random() < 0.7 else []
    return Token(entries, code, inverse, partial, chosen, first, tail)
