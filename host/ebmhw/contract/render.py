"""Register maps, packets and constants as Markdown, C and JSON.

All output is a function of the definition alone, so that generated files can be checked for drift. C headers hold macros
only: they can be included from C and C++, and leave the choice of types to the one who includes them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from ebmhw.contract import formats, phi_formats, phi_tables, stream, tables
from ebmhw.contract.checks import as_data, digest_of, identifier
from ebmhw.contract.packets import HEADER, HEADER_WORDS, MAGIC, PacketField, PacketLayout, PacketSet, Section
from ebmhw.contract.registers import WORD_BITS, WORD_BYTES, Field, Register, RegisterMap
from ebmhw.errors import ContractError

CONSTANT_MODULES: Final[tuple[ModuleType, ...]] = (formats, stream, tables, phi_formats, phi_tables)
"""Modules of this package whose upper-case names are the contract's constants."""

Contract = RegisterMap | PacketSet

_KINDS: Final[dict[str, type[RegisterMap] | type[PacketSet]]] = {"register_map": RegisterMap, "packet_set": PacketSet}


# -- JSON -------------------------------------------------------------------------------------------------------------


def to_json(contract: Contract) -> str:
    """Return a register map or packet set as JSON, docs and digest included; `from_json` gives an equal object."""
    kind = "register_map" if isinstance(contract, RegisterMap) else "packet_set"
    data = {"kind": kind, "digest": contract.digest, "definition": as_data(contract, docs=True)}
    return json.dumps(data, indent=2) + "\n"


def from_json(source: str) -> Contract:
    """Return the register map or packet set that `to_json` wrote.

    Raises
    ------
    ContractError
        The text is not such JSON, the definition is not valid, or its digest is another one than the text states.
    """
    try:
        data = json.loads(source)
    except json.JSONDecodeError as error:
        raise ContractError(f"this is no JSON, {error}; pass what to_json() wrote") from None
    if not isinstance(data, dict) or set(data) != {"kind", "digest", "definition"}:
        raise ContractError("a contract in JSON is an object of kind, digest and definition; pass what to_json() wrote")
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ContractError(f"the kind of this JSON is {kind!r}; known are {', '.join(_KINDS)}")
    contract: Contract = _build(_KINDS[kind], data["definition"])
    if contract.digest != data["digest"]:
        raise ContractError(
            f"the {kind} '{contract.name}' has digest {contract.digest}, but its JSON states {data['digest']!r}; "
            f"it was edited, or written by another version: write it again"
        )
    return contract


_PARTS: Final[dict[type[Any], dict[str, type[Any]]]] = {
    RegisterMap: {"registers": Register},
    Register: {"fields": Field},
    PacketSet: {"layouts": PacketLayout},
    PacketLayout: {"fields": PacketField, "sections": Section},
    Section: {"fields": PacketField},
}


def _build(kind: type[Any], data: object) -> Any:
    """Return the dataclass ``kind`` from what `as_data` made of it."""
    names = [field.name for field in dataclasses.fields(kind)]
    if not isinstance(data, dict) or set(data) != set(names):
        shown = ", ".join(data) if isinstance(data, dict) else repr(data)
        raise ContractError(f"a {kind.__name__} in JSON is an object of {', '.join(names)}, not of {shown}; pass what to_json() wrote")
    values = dict(data)
    for name, part in _PARTS.get(kind, {}).items():
        if not isinstance(values[name], list):
            raise ContractError(f"{name} of a {kind.__name__} in JSON is {values[name]!r}, not a list; pass what to_json() wrote")
        values[name] = tuple(_build(part, entry) for entry in values[name])
    return kind(**values)


# -- Markdown ---------------------------------------------------------------------------------------------------------


def markdown(contract: Contract) -> str:
    """Return a register map or packet set as Markdown tables."""
    lines = _map_markdown(contract) if isinstance(contract, RegisterMap) else _packets_markdown(contract)
    return "\n".join(lines) + "\n"


def _map_markdown(contract: RegisterMap) -> Iterator[str]:
    yield from _title(contract.name, contract.doc)
    yield f"Version {contract.version}, {contract.size} bytes ({contract.address_bits} address bits), hash `{contract.hash32:#010x}`."
    for register in contract.registers:
        yield from ("", f"## `0x{register.offset:03x}` {register.name}")
        if register.doc:
            yield from ("", _cell(register.doc))
        if register.latches:
            yield from ("", f"Reading it latches `{register.latches}`.")
        rows = []
        for field in register.fields:
            values = ", ".join(f"{value} = `{name}`" for name, value in (field.enum or {}).items())
            meaning = " ".join(part for part in (_cell(field.doc), f"Values: {values}." if values else "") if part)
            rows.append((_bits(field.lsb, field.bits), f"`{field.name}`", field.access, f"{field.reset:#x}", meaning))
        yield from ("", *_table(("Bits", "Field", "Access", "Reset", "Meaning"), rows))


def _packets_markdown(contract: PacketSet) -> Iterator[str]:
    yield from _title(contract.name, contract.doc)
    yield (
        f"Words of 32 bits, little-endian; packets are padded with zeros to {contract.beat_bytes} bytes. "
        f"Magic `{MAGIC:#06x}`, hash `{contract.hash32:#010x}`."
    )
    for layout in contract.layouts:
        yield from ("", f"## {layout.code}: {layout.name}", "", f"Version {layout.version}. {_cell(layout.doc)}".rstrip(), "")
        yield from _field_table([(field, layout.bit_offset(field.name)) for field in (*HEADER, *layout.fields)])
        for section in layout.sections:
            words = f"{section.entry_words} word{'s' if section.entry_words > 1 else ''}"
            yield from ("", f"Then `{section.count_field}` entries of `{section.name}`, {words} each. {_cell(section.doc)}".rstrip(), "")
            yield from _field_table([(field, section.bit_offset(field.name)) for field in section.fields])


def _title(name: str, doc: str) -> Iterator[str]:
    yield from (f"# {name}", "")
    if doc:
        yield from (_cell(doc), "")


def _field_table(placed: Iterable[tuple[PacketField, int]]) -> Iterator[str]:
    rows = []
    for field, offset in placed:
        word, lsb = divmod(offset, WORD_BITS)
        last = word + (field.bits - 1) // WORD_BITS
        kind = f"{'signed' if field.signed else 'unsigned'} {field.bits}"
        bits = _bits(lsb, min(field.bits, WORD_BITS))
        rows.append((f"{word}..{last}" if last > word else f"{word}", bits, f"`{field.name}`", kind, _cell(field.doc)))
    return _table(("Word", "Bits", "Field", "Type", "Meaning"), rows)


def _bits(lsb: int, bits: int) -> str:
    return f"{lsb + bits - 1}:{lsb}" if bits > 1 else f"{lsb}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _cell(doc: str) -> str:
    """Return a text on one line that cannot end a table cell."""
    return _line(doc).replace("|", "\\|")


def _line(doc: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in doc).split())


# -- C ----------------------------------------------------------------------------------------------------------------


class _Header:
    """A C header in the making: macros with the prefix EBMHW_, each defined once."""

    def __init__(self, guard: str, title: str, doc: str = "") -> None:
        self._guard = f"EBMHW_{guard.upper()}_H"
        self._title = title
        self._lines = [f"/* {title}: generated by ebmhw.contract.render, do not edit. */"]
        self._names: set[str] = {self._guard}
        self.comment(doc)
        self._lines += [f"#ifndef {self._guard}", f"#define {self._guard}", ""]

    def comment(self, doc: str) -> None:
        safe = _line(doc).encode("ascii", "backslashreplace").decode("ascii")
        safe = safe.replace("*", " * ")
        if safe:
            self._lines.append(f"/* {safe} */")

    def gap(self) -> None:
        self._lines.append("")

    def define(self, *names: str, value: str) -> None:
        # Joined names can meet (register a_b, field c; register a, field b_c): only a check of the whole can tell.
        name = "_".join(("EBMHW", *(name.upper() for name in names)))
        if name in self._names:
            raise ContractError(f"{self._title} defines the C macro {name} twice; rename one of the two things that make it")
        self._names.add(name)
        self._lines.append(f"#define {name} {value}")

    def end(self) -> str:
        return "\n".join((*self._lines, "", f"#endif /* {self._guard} */", ""))


def _c_hex(value: int) -> str:
    return f"{value:#x}u" if value < 1 << 32 else f"{value:#x}ull"


def _c_number(value: int) -> str:
    if not -(1 << 63) < value < 1 << 64:
        raise ContractError(f"the constant {value} does not fit 64 bits, so C has no literal for it; split it")
    if value >= 1 << 31:
        return _c_hex(value)
    literal = f"{value}" if value > -(1 << 31) else f"{value}ll"
    return f"({literal})" if value < 0 else literal


def c_header(contract: Contract) -> str:
    """Return a C header for a register map or packet set: a guard, then one macro per number.

    Macros start with ``EBMHW_<map>_REG_`` or ``EBMHW_<set>_PKT_``, so that a unit may use one name for both. A register has
    OFFSET (bytes) and RESET; its fields have SHIFT, BITS, MASK (in place) and one macro per enumerator, to be shifted. A
    packet has CODE, VERSION and FIXED_WORDS; its fields have WORD, SHIFT, BITS and, up to 32 bits, MASK, counted from the
    start of the packet or of the section's entry. HASH is `hash32`.

    Raises
    ------
    ContractError
        Two things would make the same macro.
    """
    return _map_c(contract) if isinstance(contract, RegisterMap) else _packets_c(contract)


def _map_c(contract: RegisterMap) -> str:
    top = f"{contract.name}_reg"
    out = _Header(top, f"register map '{contract.name}'", contract.doc)
    out.define(top, "VERSION", value=_c_hex(contract.version))
    out.define(top, "HASH", value=f"{contract.hash32:#010x}u")
    out.define(top, "DIGEST", value=f'"{contract.digest}"')
    out.define(top, "ADDRESS_BITS", value=str(contract.address_bits))
    out.define(top, "SIZE", value=_c_hex(contract.size))
    for register in contract.registers:
        out.gap()
        out.comment(register.doc)
        out.define(top, register.name, "OFFSET", value=_c_hex(register.offset))
        out.define(top, register.name, "RESET", value=_c_hex(register.reset))
        for field in register.fields:
            path = (top, register.name, field.name)
            out.comment(f"{field.access}: {field.doc}")
            out.define(*path, "SHIFT", value=str(field.lsb))
            out.define(*path, "BITS", value=str(field.bits))
            out.define(*path, "MASK", value=_c_hex(field.mask))
            for name, value in (field.enum or {}).items():
                out.define(*path, name, value=_c_hex(value))
    return out.end()


def _packets_c(contract: PacketSet) -> str:
    top = f"{contract.name}_pkt"
    out = _Header(top, f"packet set '{contract.name}'", contract.doc)
    out.define(top, "HASH", value=f"{contract.hash32:#010x}u")
    out.define(top, "DIGEST", value=f'"{contract.digest}"')
    out.define(top, "MAGIC", value=_c_hex(MAGIC))
    out.define(top, "BEAT_BYTES", value=str(contract.beat_bytes))
    out.define(top, "WORD_BYTES", value=str(WORD_BYTES))
    out.define(top, "HEADER_WORDS", value=str(HEADER_WORDS))
    for layout in contract.layouts:
        path = (top, layout.name)
        out.gap()
        out.comment(layout.doc)
        out.define(*path, "CODE", value=str(layout.code))
        out.define(*path, "VERSION", value=str(layout.version))
        out.define(*path, "FIXED_WORDS", value=str(layout.fixed_words))
        for field in (*HEADER, *layout.fields):
            _field_c(out, field, layout.bit_offset(field.name), *path)
        for section in layout.sections:
            out.comment(section.doc)
            out.define(*path, section.name, "ENTRY_WORDS", value=str(section.entry_words))
            for field in section.fields:
                _field_c(out, field, section.bit_offset(field.name), *path, section.name)
    return out.end()


def _field_c(out: _Header, field: PacketField, offset: int, *path: str) -> None:
    word, shift = divmod(offset, WORD_BITS)
    out.comment(field.doc)
    out.define(*path, field.name, "WORD", value=str(word))
    out.define(*path, field.name, "SHIFT", value=str(shift))
    out.define(*path, field.name, "BITS", value=str(field.bits))
    if field.bits <= WORD_BITS:
        out.define(*path, field.name, "MASK", value=_c_hex(((1 << field.bits) - 1) << shift))


# -- Constants --------------------------------------------------------------------------------------------------------


def constants() -> dict[str, dict[str, Any]]:
    """Return every upper-case constant of `CONSTANT_MODULES`, by module and name.

    Raises
    ------
    ContractError
        A constant is not an int, a float, or a tuple of ints or of strings.
    """
    found: dict[str, dict[str, Any]] = {}
    for module in CONSTANT_MODULES:
        short = module.__name__.rpartition(".")[2]
        found[short] = {}
        for name, value in sorted(vars(module).items()):
            if name.startswith("_") or not name.isupper():
                continue
            # By type(), so that a bool (typing.TYPE_CHECKING, say) does not pass as an int.
            allowed = ({int}, {str}) if isinstance(value, tuple) else ({int}, {float})
            if {type(part) for part in (value if isinstance(value, tuple) else (value,))} not in allowed:
                raise ContractError(
                    f"{short}.{name} is {value!r}; a constant is an int, a float, or a tuple of ints or of strings: "
                    f"change it, or start its name with an underscore"
                )
            found[short][name] = value
    return found


def _plain(value: object) -> object:
    # A float as its exact hexadecimal: decimal output is a choice of the printer.
    return value.hex() if isinstance(value, float) else value


def _constant_data() -> dict[str, dict[str, Any]]:
    return {module: {name: _plain(value) for name, value in values.items()} for module, values in constants().items()}


def contract_digest() -> str:
    """Return the SHA-256 (hex) of all constants and tables, for a hardware build to embed."""
    return digest_of({"kind": "constants", "constants": _constant_data()})


def contract_json() -> str:
    """Return all constants and tables as JSON, with `contract_digest` under ``sha256``; floats are C99 hexadecimal strings."""
    return json.dumps({"kind": "constants", "sha256": contract_digest(), "constants": _constant_data()}, indent=2) + "\n"


def contract_markdown() -> str:
    """Return all constants and tables as Markdown."""
    lines = ["# Constants of the contract", "", f"SHA-256 `{contract_digest()}`"]
    for module, values in constants().items():
        lines += ["", f"## {module}", ""]
        short = {name: value for name, value in values.items() if not isinstance(value, tuple) or len(value) <= 8}
        lines += _table(("Name", "Value"), ((f"`{name}`", _shown(value)) for name, value in short.items()))
        for name in (name for name in values if name not in short):
            lines += ["", f"`{name}`, {len(values[name])} entries:", "", *(f"    {row}" for row in _rows(values[name]))]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(part) for part in value)
    if isinstance(value, int) and abs(value) >= 1 << 16:
        return f"{value} (`{value:#x}`)"
    return f"`{_plain(value)}`"


def _rows(values: tuple[int, ...]) -> list[str]:
    return [", ".join(str(value) for value in values[at : at + 8]) for at in range(0, len(values), 8)]


def contract_c_header() -> str:
    """Return all constants and tables as a C header.

    A tuple of ints becomes LENGTH and an initialiser, ``uint32_t hi[EBMHW_TABLES_HI_LENGTH] = EBMHW_TABLES_HI``; a tuple of
    strings becomes one macro per string, its index.
    """
    out = _Header("contract", "constants of the contract")
    out.define("CONTRACT_DIGEST", value=f'"{contract_digest()}"')
    out.define("CONTRACT_HASH", value=f"0x{contract_digest()[:8]}u")
    for module, values in constants().items():
        out.gap()
        for name, value in values.items():
            if isinstance(value, float):
                out.define(module, name, value=value.hex())
            elif isinstance(value, int):
                out.define(module, name, value=_c_number(value))
            elif isinstance(value[0], str):
                for index, part in enumerate(value):
                    out.define(module, name, identifier(part, f"member of {module}.{name}"), value=str(index))
            else:
                out.define(module, name, "LENGTH", value=str(len(value)))
                rows = [", ".join(_c_number(part) for part in value[at : at + 8]) for at in range(0, len(value), 8)]
                out.define(module, name, value="{ \\\n    " + ", \\\n    ".join(rows) + " \\\n}")
    return out.end()
