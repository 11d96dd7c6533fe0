"""Records of the phi units against those of the CPU kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ebmhw.backends.phi_tokens import TokenRows
from ebmhw.board.checks.context import EXCHANGE_SECONDS, Context, Mismatch
from ebmhw.contract.phi_formats import inverse_log2

_LARGE = 1 << 17
"""Entries of the largest row where time is dear, as in a simulation; a board takes the largest that there is."""


def rows(context: Context) -> str:
    """Compare rows of all formats and of many kinds of values."""
    count, random = 0, context.random("phi rows")
    _ = context.phi_units
    for number in range(context.programs):
        for kind in ("float16", "float32", "float64"):
            logits = _logits(random, int(random.integers(1, 6)), int(random.integers(2, 400 << number % 3)), np.dtype(kind))
            chosen = np.asarray(random.integers(0, logits.shape[1], size=logits.shape[0]))
            chosen[random.random(logits.shape[0]) < 0.3] = -100
            _same(context.backend.phi(logits, chosen).array, context.reference.phi(logits, chosen).array, f"{logits.shape} {kind}")
            context.check_time()
            count += len(logits)
        count += _bfloat16(context, random)
    return f"{count} rows in four formats, every bit as on the CPU"


def large(context: Context) -> str:
    """Compare rows of a large vocabulary."""
    random, unit = context.random("phi large"), context.phi_units[0]
    entries = unit.shape.entries_max if context.clock_mhz is not None else min(_LARGE, unit.shape.entries_max)
    logits = _logits(random, 2, entries, np.dtype(np.float16))
    chosen = random.integers(0, entries, size=2)
    _same(context.backend.phi(logits, chosen).array, context.reference.phi(logits, chosen).array, f"{logits.shape} float16")
    return f"{len(logits)} rows of {entries:,} entries"


def shards(context: Context) -> str:
    """Compare shards of a vocabulary, bin by bin."""
    random = context.random("phi shards")
    _ = context.phi_units
    for _ in range(context.programs):
        logits = _logits(random, 3, int(random.integers(1, 300)), np.dtype(np.float32))
        first = int(random.integers(0, 1000))
        got, wanted = (backend.phi_partial(logits, first).array for backend in (context.backend, context.reference))
        _same(got, wanted, f"shards {logits.shape} from entry {first} on")
        context.check_time()
    return f"{3 * context.programs} shards, every bit as on the CPU"


def _logits(random: np.random.Generator, count: int, entries: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return rows that are flat, peaked, clipped or full of what is no number, at random."""
    scale = 10.0 ** random.uniform(-2, 2.5, size=(count, 1))
    logits = random.normal(size=(count, entries)) * scale
    for value, share in ((-np.inf, 0.2), (np.nan, 0.02), (np.inf, 0.02)):
        if random.random() < 0.4:
            logits[random.random(logits.shape) < share] = value
    return logits.astype(dtype)


def _bfloat16(context: Context, random: np.random.Generator) -> int:
    """Compare rows of bfloat16, which NumPy has not: the bits, past the backend; the reference takes the same numbers as float32."""
    logits = _logits(random, 4, int(random.integers(2, 500)), np.dtype(np.float32))
    bits = (logits.view(np.uint32) >> 16).astype(np.uint16)
    ids = np.arange(len(logits), dtype=np.uint32)
    chosen = random.integers(0, logits.shape[1], size=len(logits)).astype(np.uint32)
    found = context.phi_units[0].records(TokenRows(bits, "bfloat16", chosen, ids), inverse_log2(logits.shape[1]), EXCHANGE_SECONDS)
    wide = (bits.astype(np.uint32) << 16).view(np.float32)
    _same(found, context.reference.phi(wide, chosen.astype(np.int64)).array, f"{logits.shape} bfloat16")
    return len(logits)


def _same(got: npt.NDArray[np.void], wanted: npt.NDArray[np.void], what: str) -> None:
    for name in wanted.dtype.names or ():
        wrong = np.argwhere(got[name] != wanted[name])
        if len(wrong):
            at = tuple(int(index) for index in wrong[0])
            raise Mismatch(f"logits {what}: {name} of row {at[0]} is {got[name][at]}, not {wanted[name][at]}; {len(wrong)} numbers differ")
