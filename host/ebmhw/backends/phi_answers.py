"""Records and partials of the phi unit, refused where they cannot be those of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.backends.reader import HEAD, PacketReader
from ebmhw.contract.phi_formats import (
    BIN_SHIFT,
    BINS,
    FRACTION_BITS,
    INVERSE_FRACTION_BITS,
    MANTISSA_BIT,
    NO_POSITION,
    NO_Z,
    Z_FRACTION_BITS,
)
from ebmhw.contract.phi_unit import RESULTS
from ebmhw.phi.layout import FLAG, PARTIAL, RECORD

Answers = npt.NDArray[np.void]

_ONE = 1 << FRACTION_BITS

TYPES: Final = {"record": RECORD, "partial": PARTIAL}
"""What each packet that answers a token holds."""

_ROWS: Final = {name: np.dtype([(HEAD, "<u8"), *dtype.descr]) for name, dtype in TYPES.items()}


def answer_beats(name: str) -> int:
    """Return the stream beats of a packet."""
    return _ROWS[name].itemsize // RESULTS.beat_bytes


def take_answers(reader: PacketReader, name: str, rows: TokenRows, inverse: int, first_entry: int) -> Answers:
    """Return the answers to rows, of dtype RECORD or PARTIAL: the whole of what is to be read.

    Parameters
    ----------
    reader : the answer of the unit
    name : "record" or "partial"
    rows, inverse, first_entry : what was asked

    Raises
    ------
    HardwareFault
        There is an error among them, something else than was due, or numbers that cannot be those of a row.
    """
    table = reader.table(name, _ROWS[name], rows.token_ids)
    reader.end()
    found = np.empty(table.size, dtype=TYPES[name])
    for field in found.dtype.names or ():
        found[field] = table[field]
    rules = [*_rules(found, rows, first_entry), *(_record_rules(found, inverse) if name == "record" else _partial_rules(found))]
    if not all(rule.holds.all() for rule in rules):
        rule = next(rule for rule in rules if not rule.holds.all())
        at = int(np.flatnonzero(~rule.holds)[0])
        says = ", ".join(f"'{field}' {found[field][at]}" for field in rule.fields)
        reader.nonsense(f"a packet '{name}' for job {found['job_id'][at]} has {says}; {rule.text}")
    return found


class _Rule(NamedTuple):
    """What must hold of every answer, which fields it is about, and what a message says of it."""

    holds: npt.NDArray[np.bool_]
    fields: tuple[str, ...]
    text: str


def _rules(found: Answers, rows: TokenRows, first_entry: int) -> Iterator[_Rule]:
    """Yield what the counts, positions and exponents of any row obey."""
    wide = {field: found[field].astype(np.int64) for field in RECORD.names or ()}
    valid, flags, argmax, chosen, z1, z2 = (wide[name] for name in ("valid", "flags", "argmax", "chosen", "z1", "z2"))
    empty, none = valid == 0, chosen == NO_POSITION
    last = first_entry + rows.entries - 1
    counts = ("valid", "masked", "excluded")
    yield _Rule(valid + wide["masked"] + wide["excluded"] == rows.entries, counts, f"they make the {rows.entries} entries of a row")

    due = {"excluded": wide["excluded"] > 0, "empty": empty, "no_choice": none, "partial": np.full(valid.shape, found.dtype == PARTIAL)}
    bits = sum((np.where(holds, FLAG[name], 0) for name, holds in due.items()), start=np.zeros_like(flags))
    clips = np.where(empty, 0, FLAG["clip_hi"] | FLAG["clip_lo"])
    yield _Rule(flags & ~clips == bits, ("flags", *counts, "chosen"), "flags are set for what they are about")

    positions = f"the row's positions are {first_entry} to {last}"
    within = (first_entry <= argmax) & (argmax <= last)
    yield _Rule(np.where(empty, argmax == NO_POSITION, within), ("argmax", "valid"), positions)
    asked = rows.chosen.astype(np.int64)
    within = (first_entry <= asked) & (asked <= last) & ~empty
    yield _Rule(none | (chosen == asked) & within, ("chosen", "valid"), f"it is the entry that was asked for, {positions}")

    second = (z2 <= z1) & ((z2 == NO_Z) == (valid == 1))
    yield _Rule(np.where(empty, (z1 == 0) & (z2 == 0), second), ("z1", "z2", "valid"), "z1 is the largest z")
    z = wide["z_chosen"]
    yield _Rule(np.where(none, z == 0, (z <= z1) & ((chosen != argmax) | (z == z1))), ("z_chosen", "z1", "chosen"), "no z is above the largest")


def _record_rules(found: Answers, inverse: int) -> Iterator[_Rule]:
    """Yield what the numbers of a whole vocabulary obey: those that follow from others, and bounds of the rest."""
    empty, none = found["valid"] == 0, found["chosen"] == NO_POSITION
    log2_z, entropy, phi = found["log2_z"], found["entropy"].astype(np.int64), found["phi"].astype(np.int64)
    due = np.clip(_ONE - (entropy * inverse >> INVERSE_FRACTION_BITS), 0, _ONE)
    yield _Rule(np.where(empty, (entropy == 0) & (phi == 0), phi == due), ("entropy", "phi"), f"phi follows from the entropy and INV {inverse}")
    least = found["z1"].astype(np.int64) >> Z_FRACTION_BITS << FRACTION_BITS
    yield _Rule(np.where(empty, log2_z == 0, log2_z >= least), ("log2_z", "z1"), "a sum is not below its largest term")
    share = np.minimum(0, (found["z_chosen"].astype(np.int64) << (FRACTION_BITS - Z_FRACTION_BITS)) - log2_z)
    fields = ("chosen_log2p", "z_chosen", "log2_z")
    yield _Rule(found["chosen_log2p"] == np.where(none, 0, share), fields, "a log-probability follows from z and log2_z")


def _partial_rules(found: Answers) -> Iterator[_Rule]:
    """Yield what the sums of a shard obey."""
    empty = found["valid"] == 0
    whole = ("log2_z", "chosen_log2p", "entropy", "phi", "zero")
    yield _Rule(np.all([found[field] == 0 for field in whole], axis=0), whole, "a shard has 0 there")
    yield _Rule(found["kmax"] == found["z1"] >> Z_FRACTION_BITS, ("kmax", "z1"), "the largest bin is that of the largest z")
    s, t = found["sums"][..., 0], found["sums"][..., 1]
    # A weight is 1 to 2, so that t is 0 to s; the largest entry's is at least 1.
    bounded = np.all((s >= 0) & (t >= 0) & (t <= s), axis=-1)
    one = s[:, 0] >= 1 << (MANTISSA_BIT - BIN_SHIFT)
    yield _Rule(bounded & np.where(empty, ~s.any(axis=-1), one), ("sums", "valid"), f"{BINS} pairs 0 <= T <= S are sums of weights")
