"""The records of the phi unit as NumPy types, made from the contract's packets."""

from __future__ import annotations

from typing import Final

import numpy as np

from ebmhw.contract.packets import PacketField
from ebmhw.contract.phi_formats import BINS, FLAGS
from ebmhw.contract.phi_unit import RESULTS


def _member(field: PacketField) -> tuple[str, str] | tuple[str, str, tuple[int, int]]:
    """Return a field of a packet as a member of a structured type; the only one beyond 64 bits are the sums, pairs of S and T."""
    if field.bits == 2 * 64 * BINS:
        return field.name, "<i8", (BINS, 2)
    return field.name, f"<{'i' if field.signed else 'u'}{field.bits // 8}"


RECORD: Final = np.dtype([_member(field) for field in RESULTS.layout("record").fields])
"""A record, 64 bytes; the names are those of the packet's fields."""

PARTIAL: Final = np.dtype([_member(field) for field in RESULTS.layout("partial").fields])
"""A record of a shard, its largest bin ``kmax`` and ``sums`` (64, 2), S and T of the bins kmax - d; 1096 bytes."""

FLAG: Final = {name: 1 << bit for bit, name in enumerate(FLAGS)}
"""Flags of a record, by name."""
