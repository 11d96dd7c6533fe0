"""What a design is made of: its units, where their registers lie, and how wide their streams are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from ebmhw.contract import ising_core, phi_unit
from ebmhw.contract.checks import find
from ebmhw.contract.packets import PacketSet
from ebmhw.contract.registers import RegisterMap

MODULE: Final = "ebmhw"
"""Name of the module that holds all units."""

ADDRESS_BITS: Final = 9
"""Width of the addresses of its registers, in bytes; the top bit chooses the unit."""


@final
@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the design.

    Attributes
    ----------
    name : of its module, and of its section in a configuration
    prefix : of its streams and its interrupt among the ports of the design, ``<prefix>_s_axis``
    offset : of its registers from those of the design, in bytes
    identity : what its register of that name reads
    registers : its map
    jobs, results : the packets of its streams
    packet_hash : what its register ``packet_hash`` reads
    """

    name: str
    prefix: str
    offset: int
    identity: int
    registers: RegisterMap
    jobs: PacketSet
    results: PacketSet
    packet_hash: int

    @property
    def job_bits(self) -> int:
        """Width of the job stream."""
        return 8 * self.jobs.beat_bytes

    @property
    def result_bits(self) -> int:
        """Width of the result stream."""
        return 8 * self.results.beat_bytes


UNITS: Final = (
    Unit("ising_core", "ising", 0x000, ising_core.IDENTITY, ising_core.REGISTERS, ising_core.JOBS, ising_core.RESULTS, ising_core.PACKET_HASH),
    Unit("phi_unit", "phi", 0x100, phi_unit.IDENTITY, phi_unit.REGISTERS, phi_unit.JOBS, phi_unit.RESULTS, phi_unit.PACKET_HASH),
)
"""All units, in order of their offsets."""


def unit(name: str) -> Unit:
    """Return the unit called ``name``.

    Raises
    ------
    ContractError
        There is none.
    """
    return find(UNITS, name, "unit", "the design")
