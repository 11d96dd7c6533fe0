"""What a unit says of itself, and the refusal of one that this version cannot drive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from ebmhw.backends.bus import Bus
from ebmhw.backends.units import ISING, PHI, UnitKind
from ebmhw.contract import formats, phi_formats
from ebmhw.contract.ising_core import LANES_LIMIT
from ebmhw.contract.render import contract_digest
from ebmhw.errors import BackendUnavailable, ContractError


@final
@dataclass(frozen=True)
class CoreShape:
    """The parameters of an Ising core.

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


@final
@dataclass(frozen=True)
class PhiShape:
    """The parameters of a phi unit.

    Attributes
    ----------
    build : first 32 bits of the digest of the design
    lanes : entries of 16 bits that are taken a cycle
    entries_max : entries of the largest row, and positions of the largest vocabulary
    """

    build: int
    lanes: int
    entries_max: int


def identify_core(bus: Bus, backend: str) -> CoreShape:
    """Return the shape of the Ising core on a bus.

    Raises
    ------
    BackendUnavailable
        What answers is no Ising core, or one of another contract; the text names both hashes and the remedy.
    """
    about = _Registers(bus, backend, ISING)
    shape, widths = about.fields("shape"), about.fields("formats")
    found = CoreShape(
        build=about.word("build"),
        **shape,
        **{name: about.word(name) for name in ("spins_max", "beats_max", "schedule_max", "flip_bits")},
        energy_bits=widths["energy_bits"],
        sweep_bits=widths["sweep_bits"],
    )
    about.check(
        ("lanes", found.lanes, 1, LANES_LIMIT),
        ("slots a beat", found.slots, 1, 255),
        ("schedule entries", found.schedule_max, 1, 2**32 - 1),
        ("coupling bits", widths["coupling_bits"], formats.COUPLING_BITS, formats.COUPLING_BITS),
        ("bias bits", widths["bias_bits"], formats.BIAS_BITS, formats.BIAS_BITS),
        ("energy bits", found.energy_bits, formats.ENERGY_BITS, 63),
        ("sweep bits", found.sweep_bits, 1, 32),
        ("flip bits", found.flip_bits, 1, 62),
    )
    return found


def identify_phi(bus: Bus, backend: str) -> PhiShape:
    """Return the shape of the phi unit on a bus; BackendUnavailable as of `identify_core`."""
    about = _Registers(bus, backend, PHI)
    shape = about.fields("shape")
    found = PhiShape(about.word("build"), shape["lanes"], about.word("entries_max"))
    about.check(
        ("lanes", found.lanes, 1, 255),
        ("bins", shape["window"], phi_formats.BINS, phi_formats.BINS),
        ("entries at the most", found.entries_max, 2, phi_formats.ENTRIES_LIMIT),
    )
    return found


@final
class _Registers:
    """The registers of a unit that is of the kind and of the contract that it should be; BackendUnavailable where it is not."""

    def __init__(self, bus: Bus, backend: str, kind: UnitKind) -> None:
        self._bus, self._backend, self._kind = bus, backend, kind
        identity = self.word("identity")
        if identity != kind.unit.identity:
            raise BackendUnavailable(
                f"backend {backend!r}: the register 'identity' reads {identity:#010x}, {kind.title}'s reads {kind.unit.identity:#010x}; "
                f"load the {kind.noun}'s bitstream, or correct its address"
            )
        for name, what, ours in (
            ("map_hash", "register map", kind.unit.registers.hash32),
            ("packet_hash", "packets", kind.unit.packet_hash),
            ("contract_hash", "constants and tables", int(contract_digest()[:8], 16)),
        ):
            theirs = self.word(name)
            if theirs != ours:
                raise BackendUnavailable(
                    f"backend {backend!r}: the {kind.noun} was built for {what} of hash {theirs:#010x}, this version of ebmhw has {ours:#010x}; "
                    f"load a {kind.noun} that was built with this version, or install the version of ebmhw that the {kind.noun} came with"
                )

    def word(self, name: str) -> int:
        """Return a register."""
        return self._bus.read(self._kind.unit.registers.register(name).offset)

    def fields(self, name: str) -> dict[str, int]:
        """Return the fields of a register."""
        try:
            return self._kind.unit.registers.register(name).unpack(self.word(name))
        except ContractError as error:
            noun = self._kind.noun
            raise BackendUnavailable(f"backend {self._backend!r}: {error}; load a {noun} that was built with this version") from None

    def check(self, *limits: tuple[str, int, int, int]) -> None:
        """Refuse values out of their limits: (what, value, lowest, highest) each."""
        for what, value, low, high in limits:
            if not low <= value <= high:
                limit = str(low) if low == high else f"{low} to {high}"
                raise BackendUnavailable(
                    f"backend {self._backend!r}: the {self._kind.noun} says that it has {value} {what}, this version of ebmhw drives {limit}; "
                    f"load a {self._kind.noun} that was built with it"
                )
