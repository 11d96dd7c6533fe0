"""BinWalk: a bank of bins, summed over the lanes, from the largest exponent down."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from ebmhw.contract.phi_formats import BINS
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import K_BITS, bin_layout

_LEVELS: Final = LANES.bit_length() - 1

DEPTH: Final = 8
"""Bins read ahead: more than the cycles from a bin's address to its sum and the two of the FIFO, so that a bin a cycle can leave."""


@final
class BinWalk(wiring.Component):
    """Reads the bins kmax, kmax - 1, ... of a bank and empties them, ahead of need; after a reset it first empties both banks.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    start, kmax, bank : begins to read; only while no bins are left to be taken
    walk, walk_bank, walk_k : see `LaneBins`
    s, t : of each lane, a cycle after ``walk``
    bins : the sums of the bins kmax - d, d = 0..63
    ready : the banks were emptied after the reset
    """

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "start": In(1),
                "kmax": In(signed(K_BITS)),
                "bank": In(1),
                "walk": Out(1),
                "walk_bank": Out(1),
                "walk_k": Out(signed(K_BITS)),
                "s": In(config.lane_sum_bits).array(LANES),
                "t": In(config.lane_sum_bits).array(LANES),
                "bins": Out(stream.Signature(bin_layout(config))),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.fifo = fifo = SyncFIFO(width=2 * config.sum_bits, depth=DEPTH)

        left = Signal(range(BINS), init=BINS - 1)
        room = Signal(range(DEPTH + 1), init=DEPTH)
        # From the address to the sum: the read, then a level of adders a cycle.
        arriving = Signal(_LEVELS + 1)
        m.d.sync += arriving.eq((arriving << 1) | (self.ready & self.walk))
        m.d.sync += room.eq(room - (self.ready & self.walk) + (self.bins.valid & self.bins.ready))
        with m.FSM() as fsm:
            m.d.comb += self.ready.eq(~fsm.ongoing("clear"))
            with m.State("clear"):
                m.d.comb += self.walk.eq(1)
                with m.If(left == 0):
                    m.d.sync += self.walk_bank.eq(1)
                    with m.If(self.walk_bank):
                        m.next = "idle"
            with m.State("idle"), m.If(self.start):
                m.d.sync += [self.walk_bank.eq(self.bank), self.walk_k.eq(self.kmax), left.eq(BINS - 1)]
                m.next = "walk"
            with m.State("walk"):
                m.d.comb += self.walk.eq(room != 0)
                with m.If(self.walk & (left == 0)):
                    m.next = "idle"
        with m.If(self.walk):
            m.d.sync += [self.walk_k.eq(self.walk_k - 1), left.eq(left - 1)]

        sums = []
        for name, lanes in (("s", self.s), ("t", self.t)):
            level = list(lanes)
            for depth in range(_LEVELS):
                added = []
                for at in range(0, len(level), 2):
                    node = Signal(len(level[at]) + 1, name=f"{name}{depth}_{at // 2}", reset_less=True)
                    m.d.sync += node.eq(level[at] + level[at + 1])
                    added.append(node)
                level = added
            # All entries of a row together weigh less than all lanes might.
            sums.append(level[0][: config.sum_bits])
        total = Signal(bin_layout(config))
        m.d.comb += [
            total.s.eq(sums[0]),
            total.t.eq(sums[1]),
            fifo.w_data.eq(total.as_value()),
            fifo.w_en.eq(arriving[-1]),
            self.bins.payload.as_value().eq(fifo.r_data),
            self.bins.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.bins.ready),
        ]
        return m
