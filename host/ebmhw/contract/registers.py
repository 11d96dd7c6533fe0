"""Register maps: where each field of a unit's AXI4-Lite registers lies, checked once and hashed.

Software packs and unpacks words with a `RegisterMap`; the hardware description builds its register file from the same
object and carries `RegisterMap.hash32` in a read-only register, so that a driver can refuse a design that was built
from another map. Offsets are always written out, never counted: inserting a register must not move the others.

Registers are 32 bits wide and lie at byte offsets that are multiples of 4.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, SupportsIndex, final, get_args

from ebmhw.contract.checks import as_data, digest_of, find, identifier, members, ranged, store, text, unique
from ebmhw.errors import ContractError

WORD_BITS: Final = 32
"""Width of a register and of a packet word."""

WORD_BYTES: Final = 4
"""Bytes of a word, the step of offsets."""

NEXT: Final = -1
"""`Field.lsb` and `RegisterMap.address_bits` that are left to be computed."""

Access = Literal["ro", "rw", "w1c", "wo", "pulse"]
"""ro: set by hardware. rw: set by software, reads back. w1c: set by hardware, writing 1 clears the bit. wo: set by
software, reads as 0. pulse: writing a value presents it to the hardware for one cycle, reads as 0."""

ACCESSES: Final[tuple[str, ...]] = get_args(Access)


@final
@dataclass(frozen=True, slots=True)
class Field:
    """A run of bits in a register, holding an unsigned number.

    Parameters
    ----------
    name : lower_snake identifier
    bits : width, 1..32
    access : see `Access`
    reset : value after reset; 0 for a pulse
    doc : one or more sentences
    enum : names of the only values that are allowed, or None if every value is; the reset value (and 0 for a field that
        reads as 0) must have a name. Not for w1c fields, whose bits are independent
    lsb : lowest bit; `NEXT` puts the field right above the one before it in the register

    Raises
    ------
    ContractError
        A name, width, reset value or enumerator is not allowed.
    """

    name: str
    bits: int
    access: Access = "rw"
    reset: int = 0
    doc: str = ""
    enum: Mapping[str, int] | None = dataclasses.field(default=None, hash=False)
    lsb: int = NEXT

    def __post_init__(self) -> None:
        me = f"field '{identifier(self.name, 'field')}'"
        bits = ranged(self.bits, f"the width of {me}", 1, WORD_BITS, "split it over two registers")
        if self.access not in ACCESSES:
            raise ContractError(f"the access of {me} is {self.access!r}; use one of {', '.join(ACCESSES)}")
        top = (1 << bits) - 1
        reset = ranged(self.reset, f"the reset of {me}", 0, top, f"widen the field (it has {bits} bits) or lower the value")
        if self.access == "pulse" and reset:
            raise ContractError(f"the reset of {me} is {reset}, but a pulse rests at 0; set it to 0 or use access 'rw'")
        lsb = ranged(self.lsb, f"the lsb of {me}", NEXT, WORD_BITS - 1, "give a bit of the word, or NEXT")
        store(self, bits=bits, reset=reset, lsb=lsb, doc=text(self.doc, f"the doc of {me}"))
        if self.enum is not None:
            store(self, enum=self._checked_enum(self.enum, me, top))

    def _checked_enum(self, enum: Mapping[str, int], me: str, top: int) -> dict[str, int]:
        if not isinstance(enum, Mapping) or not enum:
            raise ContractError(f"the enum of {me} is {enum!r}; give a mapping of names to values, or None")
        if self.access == "w1c":
            raise ContractError(f"{me} is w1c and has an enum, but its bits are independent; drop the enum")
        values: dict[int, str] = {}
        for name, given in enum.items():
            remedy = f"widen the field (it has {self.bits} bits) or lower the value"
            value = ranged(given, f"enumerator '{identifier(name, f'value of {me}')}' of {me}", 0, top, remedy)
            if value in values:
                raise ContractError(f"enumerators '{values[value]}' and '{name}' of {me} are both {value}; values are unique")
            values[value] = name
        for value in (self.reset, 0 if self.access == "wo" else self.reset):
            if value not in values:
                raise ContractError(f"{me} reads as {value} after reset, a value without a name in its enum; add one")
        # Sorted, so that equal fields print and hash alike however they were written down.
        return {values[value]: value for value in sorted(values)}

    @property
    def mask(self) -> int:
        """Mask of the field in its place in the word.

        Raises
        ------
        ContractError
            The field has no place yet: take it from a `Register`.
        """
        if self.lsb == NEXT:
            raise ContractError(f"field '{self.name}' has no lsb yet; take it from its register: register.field('{self.name}')")
        return ((1 << self.bits) - 1) << self.lsb

    def check(self, value: SupportsIndex | str, owner: str) -> int:
        """Return ``value``, a number or the name of an enumerator, as a number that the field may hold."""
        me = f"field '{self.name}' of {owner}"
        if isinstance(value, str):
            if value not in (self.enum or {}):
                raise ContractError(f"{me} has no value named {value!r}; {self._allowed()}")
            return (self.enum or {})[value]
        number = ranged(value, me, 0, (1 << self.bits) - 1, f"it has {self.bits} bits")
        if self.enum is not None and number not in self.enum.values():
            raise ContractError(f"{me} has no value {number}; {self._allowed()}")
        return number

    def _allowed(self) -> str:
        if self.enum is None:
            return "it has no names; give a number"
        return "use " + ", ".join(f"{name} ({value})" for name, value in self.enum.items())


@final
@dataclass(frozen=True, slots=True)
class Register:
    """A 32-bit word at an explicit byte offset; bits that no field owns read as 0.

    Parameters
    ----------
    name : lower_snake identifier
    offset : byte offset from the base of the map, a multiple of 4
    fields : at least one `Field`; kept in order of their bits
    doc : one or more sentences
    latches : name of a register that shows the value it had when this one was last read ("" for none)

    Raises
    ------
    ContractError
        The offset is not allowed, or fields overlap or leave the word.
    """

    name: str
    offset: int
    fields: tuple[Field, ...]
    doc: str = ""
    latches: str = ""

    def __post_init__(self) -> None:
        me = f"register '{identifier(self.name, 'register')}'"
        offset = ranged(self.offset, f"the offset of {me}", 0, 2**32 - WORD_BYTES, "give a byte offset from the map's base")
        if offset % WORD_BYTES:
            raise ContractError(f"the offset of {me} is {offset:#x}, not a multiple of 4; use {offset // 4 * 4 + 4:#x}")
        fields = members(self.fields, Field, me)
        if not fields:
            raise ContractError(f"{me} has no fields; give it at least one, or leave the register out")
        unique((field.name for field in fields), "fields", me)
        placed: list[Field] = []
        for field in fields:
            above = placed[-1].lsb + placed[-1].bits if placed else 0
            lsb = above if field.lsb == NEXT else field.lsb
            if lsb + field.bits > WORD_BITS:
                raise ContractError(
                    f"field '{field.name}' of {me} takes bits {lsb}..{lsb + field.bits - 1}, a register has bits 0..31; move it to another register"
                )
            placed.append(dataclasses.replace(field, lsb=lsb))
        placed.sort(key=lambda field: field.lsb)
        for low, high in pairwise(placed):
            if low.mask & high.mask:
                raise ContractError(
                    f"fields '{low.name}' and '{high.name}' of {me} overlap at bit {high.lsb}; "
                    f"move '{high.name}' to bit {low.lsb + low.bits} or above"
                )
        if self.latches:
            identifier(self.latches, f"register latched by {me}")
        store(self, offset=offset, fields=tuple(placed), doc=text(self.doc, f"the doc of {me}"))

    def field(self, name: str) -> Field:
        """Return the field called ``name``, its lsb known."""
        return find(self.fields, name, "field", f"register '{self.name}'")

    @property
    def mask(self) -> int:
        """Mask of all bits that a field owns."""
        return sum(field.mask for field in self.fields)

    @property
    def reset(self) -> int:
        """The word that the fields make after reset."""
        return sum(field.reset << field.lsb for field in self.fields)

    def pack(self, /, **values: SupportsIndex | str) -> int:
        """Return the word that holds ``values``: numbers, or names of enumerators.

        A field that is not named gets its reset value, but 0 if it is w1c, so that no write clears what it does not name.

        Raises
        ------
        ContractError
            A field is unknown, or its value is out of range or not in its enum.
        """
        word = 0
        for name in values:
            self.field(name)
        for field in self.fields:
            rest = 0 if field.access == "w1c" else field.reset
            word |= field.check(values.get(field.name, rest), f"register '{self.name}'") << field.lsb
        return word

    def unpack(self, word: SupportsIndex) -> dict[str, int]:
        """Return the number in each field of ``word``.

        Raises
        ------
        ContractError
            The word does not fit 32 bits, a bit is set that no field owns, or a value is not in its field's enum. Either
            means that the word comes from another design, or from no design at all (a bus that answers all ones).
        """
        me = f"register '{self.name}'"
        number = ranged(word, f"the word of {me}", 0, 2**WORD_BITS - 1, "give the 32 bits that were read")
        stray = number & ~self.mask
        if stray:
            raise ContractError(
                f"the word {number:#010x} of {me} has bits {stray:#x} set that no field owns; check the base address and the map's hash"
            )
        return {field.name: field.check((number & field.mask) >> field.lsb, me) for field in self.fields}


def counter64(name: str, offset: int, doc: str = "") -> tuple[Register, Register]:
    """Return the two registers of a 64-bit read-only counter: ``name_low`` at ``offset``, ``name_high`` at ``offset`` + 4.

    Read low first, then high: reading low latches the high word, so that a carry between the two reads is not seen. A read
    of high alone returns the word of the last time low was read.
    """
    low_name, high_name = f"{name}_low", f"{name}_high"
    low = Field("value", WORD_BITS, "ro", doc="Bits 31..0 of the counter.")
    high = Field("value", WORD_BITS, "ro", doc="Bits 63..32, as of the last read of the low word.")
    order = f"Read {low_name} before {high_name}: reading it latches the high word."
    return (
        Register(low_name, offset, (low,), f"{doc} {order}".strip(), latches=high_name),
        Register(high_name, offset + WORD_BYTES, (high,), f"{doc} {order}".strip()),
    )


@final
@dataclass(frozen=True, slots=True)
class RegisterMap:
    """All registers of one unit, in order of their offsets.

    Parameters
    ----------
    name : lower_snake identifier
    version : 0..2^32-1, raised by hand when behaviour changes that no field shows
    registers : at least one `Register`, names and offsets unique
    doc : one or more sentences
    address_bits : the map spans 2^address_bits bytes; `NEXT` takes the smallest that holds all registers

    Raises
    ------
    ContractError
        Two registers share a name or an offset, one lies outside the map, or a latch points nowhere.
    """

    name: str
    version: int
    registers: tuple[Register, ...]
    doc: str = ""
    address_bits: int = NEXT

    def __post_init__(self) -> None:
        me = f"register map '{identifier(self.name, 'register map')}'"
        version = ranged(self.version, f"the version of {me}", 0, 2**WORD_BITS - 1, "count versions from 0")
        registers = tuple(sorted(members(self.registers, Register, me), key=lambda register: register.offset))
        if not registers:
            raise ContractError(f"{me} has no registers; give it at least one")
        unique((register.name for register in registers), "registers", me)
        for first, second in pairwise(registers):
            if first.offset == second.offset:
                raise ContractError(f"registers '{first.name}' and '{second.name}' of {me} are both at offset {first.offset:#x}; move one of them")
        needed = (registers[-1].offset + WORD_BYTES - 1).bit_length()
        given = ranged(self.address_bits, f"address_bits of {me}", NEXT, 32, "AXI4-Lite addresses have up to 32 bits")
        if given != NEXT and given < needed:
            raise ContractError(
                f"register '{registers[-1].name}' at offset {registers[-1].offset:#x} is outside {me}, which spans "
                f"{1 << given:#x} bytes; set address_bits to {needed} or more"
            )
        store(self, version=version, registers=registers, doc=text(self.doc, f"the doc of {me}"))
        store(self, address_bits=needed if given == NEXT else given)
        self._check_latches(me)

    def _check_latches(self, me: str) -> None:
        latched: dict[str, str] = {}
        for register in self.registers:
            if not register.latches:
                continue
            target = find(self.registers, register.latches, f"register for '{register.name}' to latch, named", me)
            if target is register or any(field.access != "ro" for field in target.fields):
                raise ContractError(
                    f"register '{register.name}' of {me} latches '{target.name}', which must be another register with "
                    f"read-only fields; latch such a one"
                )
            if target.name in latched:
                raise ContractError(f"registers '{latched[target.name]}' and '{register.name}' of {me} both latch '{target.name}'; let one do so")
            latched[target.name] = register.name

    def register(self, name: str) -> Register:
        """Return the register called ``name``."""
        return find(self.registers, name, "register", f"register map '{self.name}'")

    @property
    def size(self) -> int:
        """Bytes that the map spans, a power of two."""
        return 1 << self.address_bits

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that changes meaning.

        That is names, version, offsets, bits, access, resets, enumerators, latches and the size. Docs are left out: a
        better sentence must not make a driver refuse a bitstream that behaves as before. Nor does the order count in
        which registers, fields and enumerators were written down.
        """
        return digest_of({"kind": "register_map", "definition": as_data(self, docs=False)})

    @property
    def hash32(self) -> int:
        """The first 32 bits of the digest, the map hash that hardware carries in a read-only register.

        The register that shows it has reset 0 in the map, and the hardware drives the value: a reset is part of what is
        hashed, so a map cannot hold its own hash.
        """
        return int(self.digest[:8], 16)
