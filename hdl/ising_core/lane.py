"""Lane: one chain. Its random stream, its fields and decisions, its energy, best energy and flips."""

from __future__ import annotations

from typing import final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ebmhw.contract.formats import BETA_BITS, BIAS_BITS, COUPLING_BITS
from hdl.common.pipeline import delayed
from hdl.common.xoshiro import Xoshiro128pp
from hdl.ising_core.config import IsingConfig
from hdl.ising_core.decision import FIELD_BITS, Decision
from hdl.ising_core.layouts import Pass
from hdl.ising_core.tree import FieldTree

LANE = "ising_lane"
"""Name of the module that all lanes of a core are instances of."""


def lane_control_signature(config: IsingConfig) -> wiring.Signature:
    """What all lanes share, each field in the cycle in which they need it (see `Stages`)."""
    return wiring.Signature(
        {
            "tree_valid": Out(1),
            "chain": Out(config.slots),
            "tail": Out(config.slots),
            "chain_next": Out(config.slots),
            "couplings": Out(signed(COUPLING_BITS)).array(config.slots),
            "pairs": Out(signed(COUPLING_BITS + 1)).array(config.slots // 2),
            "field_valid": Out(1),
            "field_first": Out(1),
            "base": Out(signed(BIAS_BITS)),
            "beta": Out(BETA_BITS),
            "metropolis_draw": Out(1),
            "draw": Out(1),
            "metropolis": Out(1),
            "kind": Out(Pass),
            "write": Out(1),
            "count_flip": Out(1),
            "opened": Out(1),
            "swept": Out(1),
            "sweep": Out(config.sweep_bits),
            "start": Out(1),
            "plane": Out(range(config.planes)),
            "random_shift": Out(1),
        }
    )


def lane_signature(config: IsingConfig) -> wiring.Signature:
    """Return the ports of a `Lane`."""
    return wiring.Signature(
        {
            "control": In(lane_control_signature(config)),
            "spins": In(config.slots),
            "old": In(1),
            "target": In(1),
            "new": Out(1),
            "improved": Out(1),
            "first_draw": Out(1),
            "plane_bit": Out(1),
            "unbalanced": Out(1),
            "random_in": In(32),
            "random_out": Out(32),
        }
    )


@final
class Lane(wiring.Component):
    """One chain. A job's ``start`` sets back all that an earlier one, broken off perhaps, has left.

    Parameters
    ----------
    config : widths

    Attributes
    ----------
    control : see `lane_control_signature`
    spins : the beat's spins, bit k of slot k, in cycle `Stages.product`
    old, target : own spin and initial spin, in cycle `Stages.decide`
    new : the spin to write, in cycle `Stages.write`
    improved : the state after the last sweep is the best so far, from the cycle after `Stages.settle` on
    first_draw : top bit of the draw two cycles after `control.draw`
    plane_bit : bit ``control.plane`` of energy, best energy, best sweep and flips, one cycle later
    unbalanced : the energy is not 0
    random_in, random_out : the chain of random states, see `Xoshiro128pp`
    """

    def __init__(self, config: IsingConfig) -> None:
        self._config = config
        super().__init__(lane_signature(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, control = self._config, self.control

        m.submodules.random = random = Xoshiro128pp()
        m.d.comb += [
            random.advance.eq(control.draw),
            random.shift.eq(control.random_shift),
            random.shift_in.eq(self.random_in),
            self.random_out.eq(random.shift_out),
            self.first_draw.eq(random.draw[-1]),
        ]

        m.submodules.tree = tree = FieldTree(config)
        m.d.comb += [
            tree.clear.eq(control.start),
            tree.valid.eq(control.tree_valid),
            tree.spins.eq(self.spins),
            tree.chain.eq(control.chain),
            tree.tail.eq(control.tail),
            tree.chain_next.eq(control.chain_next),
            *(tree.couplings[slot].eq(coupling) for slot, coupling in enumerate(control.couplings)),
            *(tree.pairs[at].eq(pair) for at, pair in enumerate(control.pairs)),
        ]
        # h = b - sum J + 2 sum over positive products; every partial sum is a field of some state, so none overflows.
        field = Signal(signed(FIELD_BITS), reset_less=True)
        with m.If(control.field_valid):
            # The register first: Yosys takes the first operand for the carry, so that one behind logic would cost a second LUT a bit.
            m.d.sync += field.eq((tree.total << 1) + Mux(control.field_first, control.base, field))

        m.submodules.decision = decision = Decision()
        m.d.comb += [
            decision.field.eq(field),
            decision.beta.eq(control.beta),
            decision.draw.eq(random.draw),
            decision.metropolis.eq(control.metropolis_draw),
        ]

        # The new spin: cycle `decide`.
        h = delayed(m, field, Decision.WEAK_AT + 1, "field")
        negative, nothing = h[-2] < 0, Signal(reset_less=True)
        m.d.sync += nothing.eq(h[-3] == 0)
        gibbs = negative ^ decision.weak
        metropolis = self.old ^ (nothing | (self.old ^ negative) | decision.weak)
        new, changed, old = (Signal(name=name, reset_less=True) for name in ("new", "changed", "old_1"))
        with m.Switch(control.kind):
            with m.Case(Pass.OPENING):
                m.d.comb += new.eq(self.target)
            with m.Case(Pass.SWEEP):
                m.d.comb += new.eq(Mux(control.metropolis, metropolis, gibbs))
            with m.Default():
                m.d.comb += new.eq(0)
        m.d.sync += [self.new.eq(new), changed.eq(new ^ self.old), old.eq(self.old)]

        # Half the energy, flips: cycle `write`. Flipping s changes E by 2 s h.
        energy, best = (Signal(signed(config.energy_bits), name=name) for name in ("energy", "best"))
        flips = Signal(config.flip_bits)
        with m.If(control.write & changed):
            m.d.sync += energy.eq(_added(energy, h[-1], old))
        m.d.sync += flips.eq(flips + (control.count_flip & changed))

        # The best state: cycle `settle`.
        best_sweep = Signal(config.sweep_bits)
        with m.If(control.opened | control.swept):
            m.d.sync += self.improved.eq(0)
            with m.If(control.opened | (energy < best)):
                m.d.sync += [best.eq(energy), best_sweep.eq(control.sweep), self.improved.eq(control.swept)]

        with m.If(control.start):
            m.d.sync += [energy.eq(0), flips.eq(0)]

        planes = Cat(energy, best, best_sweep, flips)
        m.d.sync += [self.plane_bit.eq(planes.bit_select(control.plane, 1)), self.unbalanced.eq(energy != 0)]
        return m


def _added(total: Signal, value: Signal, negative: Signal) -> Value:
    """Return ``total`` plus or minus ``value`` by one carry chain: a bit below both makes the carry that negation takes."""
    inverted = value.as_unsigned() ^ negative.replicate(len(value))
    return (Cat(Const(1, 1), total).as_signed() + Cat(negative, inverted).as_signed())[1:]
