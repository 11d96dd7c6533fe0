"""LaneBins: the sums of one lane, a bin for each exponent of two in the window."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import BINS
from hdl.phi_unit.config import PhiConfig
from hdl.phi_unit.layouts import K_BITS
from hdl.phi_unit.weights import weight_layout

INDEX_BITS: Final = BINS.bit_length() - 1
"""Width of a bin's place in its ring."""

TAG_BITS: Final = K_BITS - INDEX_BITS
"""Width of a tag: which turn of the ring a bin is of, signed."""

EMPTY: Final = -(1 << (TAG_BITS - 1))
"""Tag of an empty bin; no k has it, since those of clipped entries end far from it."""


def word_layout(config: PhiConfig) -> data.StructLayout:
    """A bin in memory."""
    return data.StructLayout({"tag": signed(TAG_BITS), "s": config.lane_sum_bits, "t": config.lane_sum_bits})


@final
class LaneBins(wiring.Component):
    """Two banks of bins: entries are added to one while the other is read out and emptied.

    A bank is a ring: bin k lies at k mod 64, with the turn k div 64 as its tag. An entry of a later turn than the bin's starts it anew, because the
    bin's own k is then outside any window that can come of it; one of an earlier turn is outside itself, and is dropped. No entry of either kind
    waits: a bin is read, added to and written within a cycle.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    add, add_bank, k, weight : adds an entry
    walk, walk_bank, walk_k : reads a bin and empties it; not in a bank that is added to
    s, t : its sums in the next cycle, 0 if it is not of this very k
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "add": In(1),
                "add_bank": In(1),
                "k": In(signed(K_BITS)),
                "weight": In(weight_layout()),
                "walk": In(1),
                "walk_bank": In(1),
                "walk_k": In(signed(K_BITS)),
                "s": Out(config.lane_sum_bits),
                "t": Out(config.lane_sum_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = word_layout(self._config)
        found = []
        for bank in range(2):
            m.submodules[f"bank{bank}"] = memory = Memory(shape=shape, depth=BINS, init=[], attrs={"ram_style": "distributed"})
            read, write = memory.read_port(domain="comb"), memory.write_port()
            walks = Signal(name=f"walks{bank}")
            m.d.comb += walks.eq(self.walk & (self.walk_bank == bank))
            k = Mux(walks, self.walk_k, self.k)
            tag, place = k[INDEX_BITS:].as_signed(), k[:INDEX_BITS]
            old, new = read.data, write.data
            same = Signal(name=f"same{bank}")
            m.d.comb += [
                read.addr.eq(place),
                write.addr.eq(place),
                same.eq(old.tag == tag),
                new.tag.eq(Mux(walks, EMPTY, tag)),
                # The weight second: Yosys takes the first operand for the carry.
                new.s.eq(Mux(same, old.s, 0) + self.weight.s),
                new.t.eq(Mux(same, old.t, 0) + self.weight.t),
                write.en.eq(walks | (self.add & (self.add_bank == bank) & (old.tag <= tag))),
            ]
            found.append((walks & same, old))
        # Signals of a bank that is not walked are 0, so that the other's pass.
        for name in ("s", "t"):
            masked = [getattr(old, name) & hit.replicate(self._config.lane_sum_bits) for hit, old in found]
            m.d.sync += getattr(self, name).eq(masked[0] | masked[1])
        return m
