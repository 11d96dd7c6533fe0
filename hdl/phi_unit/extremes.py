"""Extremes: the largest entry of a token, and the largest z beside it."""

from __future__ import annotations

from typing import Final, final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import KEY_BITS, NO_Z, Z_BITS

_LEVELS: Final = LANES.bit_length() - 1


def extreme_layout(config: PhiConfig) -> data.StructLayout:
    """The largest of some entries: its key, position and z, and the largest z of the others."""
    return data.StructLayout({"key": KEY_BITS, "position": config.entry_bits, "z1": signed(Z_BITS + 1), "z2": signed(Z_BITS + 1)})


@final
class Extremes(wiring.Component):
    """Compares the entries of a beat pairwise, then with the largest of the token so far; of equal keys the lower position wins.

    A larger key never has a smaller z, so whichever z is the second largest belongs to the loser of the last comparison that its winner took
    part in, or is one that the winner had beaten before.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    keys, zs : of each lane; a key of 0 is no entry
    position : of lane 0
    valid, first : a beat comes; it is a token's first
    largest : over all beats of the token, `LATENCY` cycles after its last one
    """

    LATENCY: Final = _LEVELS + 1

    def __init__(self, config: PhiConfig) -> None:
        self._config = config
        super().__init__(
            {
                "keys": In(KEY_BITS).array(LANES),
                "zs": In(signed(Z_BITS)).array(LANES),
                "position": In(config.entry_bits),
                "valid": In(1),
                "first": In(1),
                "largest": Out(extreme_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = extreme_layout(self._config)
        level = []
        for lane in range(LANES):
            leaf = Signal(shape, name=f"leaf{lane}")
            m.d.comb += [
                leaf.key.eq(self.keys[lane]),
                leaf.position.eq(lane),
                leaf.z1.eq(Mux(self.keys[lane].any(), self.zs[lane], NO_Z)),
                leaf.z2.eq(NO_Z),
            ]
            level.append(leaf)
        valid, first, position = self.valid, self.first, self.position
        for depth in range(_LEVELS):
            winners = []
            for at in range(0, len(level), 2):
                winner = Signal(shape, name=f"level{depth}_{at // 2}", reset_less=True)
                m.d.sync += winner.eq(_larger(level[at], level[at + 1]))
                winners.append(winner)
            level = winners
            comes = Signal(2 + len(position), name=f"comes{depth}", reset_less=True)
            m.d.sync += comes.eq(Cat(valid, first, position))
            valid, first, position = comes[0], comes[1], comes[2:]
        of_beat = Signal(shape)
        m.d.comb += [of_beat.eq(level[0]), of_beat.position.eq(level[0].position + position)]
        with m.If(valid):
            m.d.sync += self.largest.eq(Mux(first, of_beat, _larger(self.largest, of_beat)))
        return m


def _larger(low: data.View, high: data.View) -> Value:
    """Return the larger of two, the first one on a tie."""
    wins = low.key >= high.key
    # Both second places are found while the keys are compared.
    below_low = Mux(high.z1 >= low.z2, high.z1, low.z2)
    below_high = Mux(low.z1 >= high.z2, low.z1, high.z2)
    parts = [
        Mux(wins, low.key, high.key),
        Mux(wins, low.position, high.position),
        Mux(wins, low.z1, high.z1),
        Mux(wins, below_low, below_high),
    ]
    return Cat(*parts)
