"""What a core says of itself, and the refusal of one that this version cannot drive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.backends.bus import Bus
from ebmhw.contract import formats
from ebmhw.contract.ising_core import IDENTITY, LANES_LIMIT, PACKET_HASH, REGISTERS
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BackendUnavailable, ContractError


@final
@dataclass(frozen=True)
class CoreShape:
    """The parameters of a core.

    Attributes
    ----------
    build : first 32 bits of the digest of the design
    lanes, slots : chains at once, slots of a beat
    latency : cycles from a row's last beat to its spin being readable
    spins_max, beats_max : largest problem
    schedule_max, sweep_bits : a job has at most so many schedule entries, and less than 2^sweep_bits sweeps
    energy_bits, flip_bits : bit planes of an energy and of a number of flips
    """

    build: int
    lanes: int
    slots: int
    latency: int
    spins_max: int
    beats_max: int
    schedule_max: int
    sweep_bits: int
    energy_bits: int
    flip_bits: int

    @property
    def sweeps_max(self) -> int:
        """Sweeps of one job at the most."""
        return (1 << self.sweep_bits) - 1

    @property
    def number_bits(self) -> tuple[int, int, int, int]:
        """Bit planes of the numbers of a `draws` packet: energy, best energy, best sweep, flips."""
        return self.energy_bits, self.energy_bits, self.sweep_bits, self.flip_bits


def identify(bus: Bus, backend: str) -> CoreShape:
    """Return the shape of the core on a bus.

    Raises
    ------
    BackendUnavailable
        What answers is no Ising core, or one of another contract; the text names both hashes and the remedy.
    """
    identity = _read(bus, "identity")
    if identity != IDENTITY:
        raise BackendUnavailable(
            f"backend {backend!r}: the register 'identity' reads {identity:#010x}, an Ising core's reads {IDENTITY:#010x}; "
            "load the core's bitstream, or correct its address"
        )
    for name, what, ours in (
        ("map_hash", "register map", REGISTERS.hash32),
        ("packet_hash", "packets", PACKET_HASH),
        ("contract_hash", "constants and tables", int(contract_digest()[:8], 16)),
    ):
        theirs = _read(bus, name)
        if theirs != ours:
            raise BackendUnavailable(
                f"backend {backend!r}: the core was built for {what} of hash {theirs:#010x}, this version of ebmhw has {ours:#010x}; "
                "load a core that was built with this version, or install the version of ebmhw that the core came with"
            )
    try:
        shape, widths = (REGISTERS.register(name).unpack(_read(bus, name)) for name in ("shape", "formats"))
    except ContractError as error:
        raise BackendUnavailable(f"backend {backend!r}: {error}; load a core that was built with this version") from None
    found = CoreShape(
        build=_read(bus, "build"),
        **shape,
        **{name: _read(bus, name) for name in ("spins_max", "beats_max", "schedule_max", "flip_bits")},
        energy_bits=widths["energy_bits"],
        sweep_bits=widths["sweep_bits"],
    )
    for what, value, low, high in (
        ("lanes", found.lanes, 1, LANES_LIMIT),
        ("slots a beat", found.slots, 1, 255),
        ("schedule entries", found.schedule_max, 1, 2**32 - 1),
        ("coupling bits", widths["coupling_bits"], formats.COUPLING_BITS, formats.COUPLING_BITS),
        ("bias bits", widths["bias_bits"], formats.BIAS_BITS, formats.BIAS_BITS),
        ("energy bits", found.energy_bits, formats.ENERGY_BITS, 63),
        ("sweep bits", found.sweep_bits, 1, 32),
        ("flip bits", found.flip_bits, 1, 62),
    ):
        if not low <= value <= high:
            limit = str(low) if low == high else f"{low} to {high}"
            raise BackendUnavailable(
                f"backend {backend!r}: the core says that it has {value} {what}, this version of ebmhw drives {limit}; "
                "load a core that was built with it"
            )
    return found


def _read(bus: Bus, name: str) -> int:
    return bus.read(REGISTERS.register(name).offset)
