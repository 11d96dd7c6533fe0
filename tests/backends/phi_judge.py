"""Rows of logits of every kind, and what the golden model makes of them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ebmhw.contract.phi_formats import inverse_log2
from ebmhw.golden import phi as golden
from ebmhw.golden.arrays import NumpyArrays
from ebmhw.native import library as native
from ebmhw.native.phi import PhiRows

Logits = npt.NDArray[Any]

FAMILIES = (
    *("normal", "flat", "two values", "rising", "falling", "climbing", "peaked", "masked", "masked by numbers", "specials", "ties", "bits"),
    *("huge", "subnormal", "edge of the window"),
)

SPECIALS = (
    *(0.0, -0.0, np.inf, -np.inf, np.nan, 2048.0, -2048.0, -2048.0002, 2047.9999, 1024.0, -1024.0, 1023.99994, -1024.0001, 1e30, -1e30),
    *(3.4028235e38, -3.4028235e38, 1e-45, -1e-45, 1.17e-38, 8.0, -24.0, 2.0**-15, -(2.0**-15), 3 * 2.0**-15, 65504.0, 6e-8, -6e-8),
)


def row_values(rng: np.random.Generator, family: str, rows: int, entries: int, scale: float) -> npt.NDArray[np.float64]:
    """Return float64 (rows, entries) of a family."""
    normal = rng.normal(0, scale, (rows, entries))
    if family == "flat":
        return np.full((rows, entries), rng.choice([0.0, -0.0, 1.25, -3.0, 2047.9999, -2048.0, 1e-40, scale]))
    if family == "two values":
        return rng.choice([-5.0, 7.0 * scale, 7.0 * scale], (rows, entries))
    if family == "rising":
        return np.sort(normal, axis=1)
    if family == "falling":
        return -np.sort(normal, axis=1)
    if family == "climbing":
        return np.cumsum(np.abs(normal), axis=1) - 100
    if family == "peaked":
        normal[:, rng.integers(entries)] += 60
    elif family == "masked":
        normal[rng.random((rows, entries)) < rng.choice([0.1, 0.9, 0.99, 1.0])] = -np.inf
    elif family == "masked by numbers":
        normal[rng.random((rows, entries)) < 0.99] = rng.choice([-1e30, -3.4028235e38, -1e4])
    elif family == "specials":
        where = rng.random((rows, entries)) < rng.choice([0.02, 0.5, 1.0])
        normal[where] = rng.choice(SPECIALS, int(where.sum()))
    elif family == "ties":
        return np.round(normal * 2**15) / 2**15 if rng.random() < 0.5 else np.round(normal) * 8
    elif family == "bits":
        with np.errstate(invalid="ignore"):
            return rng.integers(0, 2**32, (rows, entries), dtype=np.uint32).view(np.float32).astype(np.float64)
    elif family == "huge":
        return normal * 1000
    elif family == "subnormal":
        return normal * 1e-40
    elif family == "edge of the window":
        # 64 bins are 64 ln 2 wide, give or take how far the largest reaches into its own.
        normal = normal.clip(-3, 3) + rng.choice([0.0, -64 * np.log(2), -63 * np.log(2), -65 * np.log(2)], (rows, entries))
    return normal


def as_form(values: npt.NDArray[np.float64], form: str) -> Logits:
    """Return values in a format; bfloat16, cut off rather than rounded, as uint16."""
    with np.errstate(all="ignore"):
        if form == "bfloat16":
            return (np.ascontiguousarray(values, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return values.astype(form)


def laid_out(logits: Logits, layout: str) -> Logits:
    """Return the same rows, differently laid out in memory."""
    if layout == "columns":
        return np.asfortranarray(logits)
    if layout == "reversed":
        return np.ascontiguousarray(logits[::-1, ::-1])[::-1, ::-1]
    if layout == "spread":
        return np.repeat(np.repeat(logits, 3, axis=1), 2, axis=0)[::2, ::3]
    if layout == "unaligned":
        raw = np.empty(logits.nbytes + 1, dtype=np.uint8)
        moved = raw[1:].view(logits.dtype).reshape(logits.shape)
        moved[:] = logits
        return moved
    assert layout == "rows"
    return np.ascontiguousarray(logits)


LAYOUTS = ("rows", "columns", "reversed", "spread", "unaligned")


def float32_bits(logits: Logits, form: str) -> npt.NDArray[np.uint32]:
    """Return the bits of the entries as float32."""
    if form == "bfloat16":
        return logits.astype(np.uint32) << 16
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(logits, dtype=np.float32).view(np.uint32)


def instruction_sets() -> tuple[str, ...]:
    """Return those that this machine has."""
    return native.INSTRUCTION_SETS[: native.library().ebmhw_instruction_set() + 1]


def rows_of(instruction_set: str, *arguments: Any, **options: Any) -> PhiRows:
    """Return rows for an instruction set, not yet done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "EBMHW_KERNEL", instruction_set)
        return PhiRows(*arguments, **options)


def assert_as_judged(
    logits: Logits, form: str, chosen: npt.NDArray[np.int64] | None = None, first_entry: int = 0, partial: bool = False, inverse: int | None = None
) -> None:
    """Do rows by every instruction set and compare all numbers with the golden model's."""
    arrays = NumpyArrays()
    rows, entries = logits.shape
    inverse = inverse_log2(max(2, entries)) if inverse is None else inverse
    positions = np.full(rows, -1) if chosen is None else chosen
    sums = golden.sums_of(arrays, float32_bits(logits, form), positions, first_entry)
    wanted = golden.partial_record_of(arrays, sums) if partial else golden.record_of(arrays, sums, inverse)
    for instruction_set in instruction_sets():
        found = rows_of(instruction_set, logits, form, inverse, chosen, first_entry, partial)
        found.run(0, rows)
        assert found.records["job_id"].tolist() == list(range(rows))
        for name, column in zip(wanted._fields, wanted, strict=True):
            np.testing.assert_array_equal(found.records[name].astype(np.int64), column, f"{name} by {instruction_set}", strict=False)
        if partial:
            for name in ("kmax", "s", "t"):
                np.testing.assert_array_equal(getattr(found, name), getattr(sums, name), f"{name} by {instruction_set}")
        else:
            assert found.kmax is None and found.s is None and found.t is None
