"""What the units of the parser pass to each other."""

from __future__ import annotations

from amaranth.hdl import ShapeLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from ebmhw.contract.registers import WORD_BITS
from hdl.common.packets import CODE_BITS
from hdl.ising_core.layouts import BEAT_BITS

BEAT_WORDS = BEAT_BITS // WORD_BITS
"""Words of a beat."""

SETTLE = 8
"""Cycles within which what a beat made wrong has reached every unit: the longest check has 5 stages, and its verdict one."""


def fault_layout() -> data.StructLayout:
    """A check's strobe that something is wrong: which error, in which beat."""
    return data.StructLayout({"found": 1, "code": CODE_BITS, "beat": 32})


def write_port(address_bits: int, shape: ShapeLike) -> wiring.Signature:
    """A memory's write port: in a cycle with ``en``, ``data`` goes to ``address``."""
    return wiring.Signature({"en": Out(1), "address": Out(address_bits), "data": Out(shape)})
