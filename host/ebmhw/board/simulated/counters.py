"""Counters: what crossed between processor, memory and logic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import final


@final
@dataclass
class Counters:
    """What was counted since the last `clear`.

    Attributes
    ----------
    reads, writes : of registers, by cell and name of the register
    transfers, transferred : transfers that ended and their bytes, by DMA engine and channel ("mm2s" takes jobs to a unit, "s2mm" brings answers)
    flushes, flushed, invalidates, invalidated : calls and bytes
    allocations, allocated : calls and bytes
    interrupts : that the processor saw
    loads : of bitstreams
    """

    reads: Counter[tuple[str, str]] = field(default_factory=Counter)
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)
    transfers: Counter[tuple[str, str]] = field(default_factory=Counter)
    transferred: Counter[tuple[str, str]] = field(default_factory=Counter)
    flushes: int = 0
    flushed: int = 0
    invalidates: int = 0
    invalidated: int = 0
    allocations: int = 0
    allocated: int = 0
    interrupts: int = 0
    loads: int = 0

    def clear(self) -> None:
        """Set all to nothing."""
        fresh = Counters()
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(fresh, name))

    def summary(self) -> dict[str, int]:
        """Return totals, by what they are of."""
        ways = {"out": "mm2s", "back": "s2mm"}
        made = {"register_reads": self.reads.total(), "register_writes": self.writes.total()}
        for what, way in ways.items():
            made[f"transfers_{what}"] = sum(count for (_, channel), count in self.transfers.items() if channel == way)
            made[f"bytes_{what}"] = sum(count for (_, channel), count in self.transferred.items() if channel == way)
        counted = ("flushes", "flushed", "invalidates", "invalidated", "allocations", "interrupts")
        return made | {name: getattr(self, name) for name in counted}
