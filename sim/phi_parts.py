"""Designs that benches of the phi unit's parts are built on: a part without constant ports, entry lanes side by side, bins with their walk."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final, final

from amaranth.hdl import Module, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Member, Out

from hdl.common.shared import SharedModule
from hdl.phi_unit.config import LANES, PhiConfig
from hdl.phi_unit.layouts import K_BITS, bin_layout, entry_layout
from hdl.phi_unit.weights import weight_layout

SLOT_BITS: Final = 64
"""Bits that an entry has to itself in the ports of `EntryLanes`."""

FORMAT_AT: Final = 32
"""Where an entry's format lies in its slot; its bits lie at 0."""

PRESENT_AT: Final = 40
"""Where it lies whether there is an entry."""


@final
class NoReady(wiring.Component):
    """A component whose streams that are always ready have no port ``ready``: a constant cannot be one.

    Parameters
    ----------
    part : the component
    """

    def __init__(self, part: wiring.Component) -> None:
        self._part = part
        members: dict[str, Member] = {}
        for name, member in part.signature.members.items():
            if _always_ready(member):
                members |= {f"{name}_{port}": member.signature.members[port] for port in ("valid", "payload")}
            else:
                members[name] = member
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.part = part = self._part
        for name, member in part.signature.members.items():
            inside = getattr(part, name)
            if _always_ready(member):
                pairs = [(getattr(inside, port), getattr(self, f"{name}_{port}")) for port in ("valid", "payload")]
            elif member.is_signature:
                wiring.connect(m, inside, wiring.flipped(getattr(self, name)))
                continue
            else:
                pairs = [(inside, getattr(self, name))]
            m.d.comb += [within.eq(outside) if member.flow is In else outside.eq(within) for within, outside in pairs]
        return m


def _always_ready(member: Member) -> bool:
    return member.is_signature and isinstance(member.signature, stream.Signature) and member.signature.always_ready


@final
class EntryLanes(wiring.Component):
    """Entry lanes side by side, few wide ports for all of them: a bench pays for ports, not for bits.

    Parameters
    ----------
    module : where EntryLane is
    lanes : how many

    Attributes
    ----------
    given : a slot a lane: bits, format, present
    found : a slot a lane: see `hdl.phi_unit.layouts.entry_layout`
    """

    def __init__(self, module: ModuleType, lanes: int) -> None:
        self._lanes = lanes
        # Written once: Verilator takes 2 s for it then, 10 s for 16 copies.
        self.instances: Final = {"entry_lane": module.EntryLane()}
        super().__init__({"given": In(SLOT_BITS * lanes), "found": Out(SLOT_BITS * lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for number in range(self._lanes):
            m.submodules[f"lane{number}"] = lane = SharedModule("entry_lane", self.instances["entry_lane"].signature)
            given = self.given.word_select(number, SLOT_BITS)
            m.d.comb += [
                lane.bits.eq(given[:FORMAT_AT]),
                lane.format.eq(given[FORMAT_AT:PRESENT_AT]),
                lane.present.eq(given[PRESENT_AT]),
                self.found.word_select(number, SLOT_BITS).eq(lane.entry.as_value()),
            ]
        return m


@final
class WalkedBins(wiring.Component):
    """The bins of all lanes and their walk, as the unit joins them.

    Parameters
    ----------
    config : widths
    bins, walk : modules of LaneBins and BinWalk

    Attributes
    ----------
    add : a bit a lane
    add_bank, k, weight : of `LaneBins`; the last two a lane
    start, kmax, bank, bins, ready : of `BinWalk`
    """

    def __init__(self, config: PhiConfig, bins: ModuleType, walk: ModuleType) -> None:
        self._config, self._bins, self._walk = config, bins, walk
        super().__init__(
            {
                "add": In(LANES),
                "add_bank": In(1),
                "k": In(signed(K_BITS)).array(LANES),
                "weight": In(weight_layout()).array(LANES),
                "start": In(1),
                "kmax": In(signed(K_BITS)),
                "bank": In(1),
                "bins": Out(stream.Signature(bin_layout(config))),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.walk = walk = self._walk.BinWalk(self._config)
        wiring.connect(m, walk.bins, wiring.flipped(self.bins))
        m.d.comb += [walk.start.eq(self.start), walk.kmax.eq(self.kmax), walk.bank.eq(self.bank), self.ready.eq(walk.ready)]
        for number in range(LANES):
            m.submodules[f"lane{number}"] = lane = self._bins.LaneBins(self._config)
            m.d.comb += [
                lane.add.eq(self.add[number]),
                lane.add_bank.eq(self.add_bank),
                lane.k.eq(self.k[number]),
                lane.weight.eq(self.weight[number]),
                lane.walk.eq(walk.walk),
                lane.walk_bank.eq(walk.walk_bank),
                lane.walk_k.eq(walk.walk_k),
                walk.s[number].eq(lane.s),
                walk.t[number].eq(lane.t),
            ]
        return m


def entry_slot() -> Any:
    """Return the layout of a slot of what `EntryLanes` finds."""
    layout = entry_layout()
    if layout.size > SLOT_BITS:
        raise ValueError(f"an entry has {layout.size} bits; its slot in the bench has {SLOT_BITS}")
    return layout
