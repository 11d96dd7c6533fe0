"""One set of rows through everything that computes the phi unit's integers: golden model, CPU kernel, RTL, C++ twin."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
import numpy.typing as npt
import pytest

from ebmhw.backends import get_backend
from ebmhw.backends.simulated.build import build_library
from ebmhw.backends.simulated.bus import SimulatedBus
from ebmhw.contract.phi_formats import ENTRIES_LIMIT, FORMATS, NO_POSITION, inverse_log2
from ebmhw.phi import RECORD
from ebmhw.phi.logits import HostLogits
from hdl.generate import generate
from sim import phi_hls
from sim.phi_jobs import ROWS, Token, rounded
from sim.runner import OUT

try:
    phi_hls.type_headers()
    MISSING = ""
except FileNotFoundError as error:
    MISSING = str(error)

HEADER_BYTES = 8
RECORD_BYTES = HEADER_BYTES + RECORD.itemsize

SHAPES = ((2, 200), (63, 200), (1000, 100), (32_000, 8), (ENTRIES_LIMIT, 1))
"""Entries and rows."""


@cache
def rtl() -> SimulatedBus:
    """Return the phi unit of the small design; its Verilog is kept between runs."""
    generate("small", OUT / "rtl")
    return SimulatedBus(build_library(OUT / "rtl" / "small.v", "phi_unit"))


def rows_of(code: int, entries: int, count: int, seed: int) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
    """Return rows of every kind in turn, as words of a format."""
    some, kinds = np.random.default_rng(seed), list(ROWS.values())
    return np.stack([rounded(kinds[row % len(kinds)](some, entries), code) for row in range(count)])


@pytest.mark.skipif(bool(MISSING) and "EBMHW_REQUIRE_HLS" not in os.environ, reason=MISSING)
@pytest.mark.parametrize("code", range(len(FORMATS)), ids=FORMATS)
def test_all_answer_alike(code: int, compared: Callable[[str, str, int], None]) -> None:
    for entries, count in SHAPES:
        agree(code, entries, count)
    compared(f"phi golden = cpu = C++ = RTL, {FORMATS[code]}", "verilator, g++", sum(count for _, count in SHAPES))


def agree(code: int, entries: int, count: int) -> None:
    """Fail unless all answer rows of one shape alike."""
    words = rows_of(code, entries, count, seed=entries + code)
    random = Random(entries)
    chosen = [random.randrange(entries) if random.random() < 0.8 else -100 for _ in range(count)]
    logits = HostLogits(words, FORMATS[code])
    # JAX compiles each shape for some seconds.
    golden = get_backend("golden", arrays="jax" if entries == 1000 else "numpy").phi(logits, chosen=chosen)
    assert get_backend("cpu").phi(logits, chosen=chosen) == golden

    positions = [NO_POSITION if one < 0 else one for one in chosen]
    tokens = [Token(row, code, inverse_log2(entries), chosen=one) for row, one in zip(words, positions, strict=True)]
    batch = b"".join(token.packet(number) for number, token in enumerate(tokens))
    (answer,) = phi_hls.answers([batch])
    assert len(answer) == count * RECORD_BYTES
    assert b"".join(answer[at + HEADER_BYTES : at + RECORD_BYTES] for at in range(0, len(answer), RECORD_BYTES)) == golden.to_bytes()
    assert rtl().exchange(np.frombuffer(batch, dtype=np.uint64), len(answer) // 8, seconds=120.0).tobytes() == answer
